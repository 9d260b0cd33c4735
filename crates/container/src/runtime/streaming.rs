//! The loopback server behind exec, attach and port-forward.

use cri::{AttachRequest, Code, ExecRequest, PortForwardRequest, Status};

use super::Runtime;

impl Runtime {
    pub(super) async fn offer_exec(&self, _: ExecRequest) -> cri::Result<String> {
        Err(Status::new(Code::Unimplemented, "streaming is not served yet"))
    }

    pub(super) async fn offer_attach(&self, _: AttachRequest) -> cri::Result<String> {
        Err(Status::new(Code::Unimplemented, "streaming is not served yet"))
    }

    pub(super) async fn offer_port_forward(&self, _: PortForwardRequest) -> cri::Result<String> {
        Err(Status::new(Code::Unimplemented, "streaming is not served yet"))
    }
}
