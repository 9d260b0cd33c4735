//! Approves kubelets' requests for client certificates, where who asks may ask for them.

use api::NamespacedName;
use api::k8s::api::authorization::v1::{ResourceAttributes, SubjectAccessReview, SubjectAccessReviewSpec};
use api::k8s::api::certificates::v1::{CertificateSigningRequest, CertificateSigningRequestCondition};
use api::k8s::apimachinery::pkg::apis::meta::v1::Time;
use client::Client;
use client::kube::Api;
use client::kube::api::PostParams;
use reconcile::{Controller, Informer, Outcome, Reconciler};
use stdx::Ambient;

use crate::context::{Context, on_each};
use crate::csr::{KUBELET_CLIENT, Requested, has_certificate, is_kubelet_client, is_undecided};
use crate::error::{During, ReconcileError};

pub(crate) async fn run(context: Context) {
    let requests = context.informers.of::<CertificateSigningRequest>();
    let approver =
        Approver { client: context.client.clone(), requests: requests.clone(), ambient: context.ambient.clone() };
    let controller = Controller::new("certificatesigningrequest-approving-controller", approver, context.ambient.clock);
    let queue = controller.queue();
    on_each(&requests, move |request| {
        if is_undecided(request) && !has_certificate(request) && request.spec.signer_name == KUBELET_CLIENT {
            queue.add(NamespacedName::of(&request.metadata));
        }
    });
    context.run(controller, requests.synced()).await;
}

/// A right that lets kubelets' requests be approved: the subresource it is to create, and what is then said.
struct Recognizer {
    subresource: &'static str,
    /// Only for itself: who asks is who the certificate is for.
    only_self: bool,
    message: &'static str,
}

const RECOGNIZERS: [Recognizer; 2] = [
    Recognizer {
        subresource: "selfnodeclient",
        only_self: true,
        message: "Auto approving self kubelet client certificate after SubjectAccessReview.",
    },
    Recognizer {
        subresource: "nodeclient",
        only_self: false,
        message: "Auto approving kubelet client certificate after SubjectAccessReview.",
    },
];

struct Approver {
    client: Client,
    requests: Informer<CertificateSigningRequest>,
    ambient: Ambient,
}

impl Reconciler for Approver {
    type Key = NamespacedName;
    type Error = ReconcileError;

    async fn reconcile(&self, key: &NamespacedName) -> Result<Outcome, ReconcileError> {
        let Some(request) = self.requests.get(key) else { return Ok(Outcome::Done) };
        if !is_undecided(&request) || has_certificate(&request) {
            return Ok(Outcome::Done);
        }
        // What cannot be read is for people to judge.
        let Ok(requested) = Requested::parse(&request.spec.request.0) else { return Ok(Outcome::Done) };
        if is_kubelet_client(&request.spec, &requested).is_err() {
            return Ok(Outcome::Done);
        }
        let is_own = request.spec.username.as_deref() == Some(&requested.common_name);
        for recognizer in RECOGNIZERS.iter().filter(|recognizer| is_own || !recognizer.only_self) {
            if self.may(&request, recognizer.subresource).await? {
                return self.approve(key, &request, recognizer.message).await;
            }
        }
        Ok(Outcome::Done)
    }
}

impl Approver {
    async fn may(&self, request: &CertificateSigningRequest, subresource: &str) -> Result<bool, ReconcileError> {
        let review = SubjectAccessReview {
            spec: SubjectAccessReviewSpec {
                user: request.spec.username.clone(),
                uid: request.spec.uid.clone(),
                groups: request.spec.groups.clone(),
                extra: request.spec.extra.clone(),
                resource_attributes: Some(ResourceAttributes {
                    group: Some("certificates.k8s.io".to_owned()),
                    resource: Some("certificatesigningrequests".to_owned()),
                    verb: Some("create".to_owned()),
                    subresource: Some(subresource.to_owned()),
                    version: Some("*".to_owned()),
                    ..ResourceAttributes::default()
                }),
                ..SubjectAccessReviewSpec::default()
            },
            ..SubjectAccessReview::default()
        };
        let api: Api<SubjectAccessReview> = Api::all(self.client.clone());
        let answer = api.create(&PostParams::default(), &review).await.during("ask for the right to", subresource)?;
        Ok(answer.status.is_some_and(|status| status.allowed))
    }

    async fn approve(
        &self,
        key: &NamespacedName,
        request: &CertificateSigningRequest,
        message: &str,
    ) -> Result<Outcome, ReconcileError> {
        let now = Time(self.ambient.clock.now_seconds());
        let mut approved = request.clone();
        approved.status.get_or_insert_default().conditions.get_or_insert_default().push(
            CertificateSigningRequestCondition {
                type_: "Approved".to_owned(),
                status: "True".to_owned(),
                reason: Some("AutoApproved".to_owned()),
                message: Some(message.to_owned()),
                last_update_time: Some(now.clone()),
                last_transition_time: Some(now),
            },
        );
        let api: Api<CertificateSigningRequest> = Api::all(self.client.clone());
        api.replace_subresource("approval", &key.name, &PostParams::default(), &approved)
            .await
            .during("approve request", key)?;
        Ok(Outcome::Done)
    }
}
