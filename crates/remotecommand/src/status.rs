//! How a command ended, as the error stream tells it.

use serde_json::json;

/// How an exec or attach ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExitStatus {
    Success,
    /// The command ran and returned `code`, which is not zero. `error` is the runtime's line.
    NonZero {
        code: i32,
        error: String,
    },
    /// The command could not be run or watched to its end.
    Failed(String),
}

impl ExitStatus {
    /// Success for zero; else the runtime's usual line.
    pub fn from_code(command: &[String], code: i32) -> Self {
        match code {
            0 => ExitStatus::Success,
            code => {
                let command = command.join(" ");
                ExitStatus::NonZero { code, error: format!("error executing command [{command}], exit code {code}") }
            }
        }
    }

    /// A `Status` object, as the protocol's version 4 and later have it.
    pub(crate) fn to_json(&self) -> String {
        let status = match self {
            ExitStatus::Success => json!({"metadata": {}, "status": "Success"}),
            ExitStatus::NonZero { code, .. } => json!({
                "metadata": {},
                "status": "Failure",
                "message": self.message(),
                "reason": "NonZeroExitCode",
                "details": {"causes": [{"reason": "ExitCode", "message": code.to_string()}]},
            }),
            ExitStatus::Failed(error) => json!({
                "metadata": {},
                "status": "Failure",
                "message": self.message(),
                "reason": "InternalError",
                "details": {"causes": [{"message": error}]},
                "code": 500,
            }),
        };
        status.to_string()
    }

    /// The text of versions 1 to 3: nothing after a success.
    pub(crate) fn to_text(&self) -> String {
        match self {
            ExitStatus::Success => String::new(),
            _ => self.message(),
        }
    }

    fn message(&self) -> String {
        match self {
            ExitStatus::Success => String::new(),
            ExitStatus::NonZero { error, .. } => format!("command terminated with non-zero exit code: {error}"),
            ExitStatus::Failed(error) => format!("Internal error occurred: {error}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_are_upstreams_to_the_byte() {
        let command = ["sh".to_owned(), "-c".to_owned(), "exit 3".to_owned()];
        assert_eq!(ExitStatus::from_code(&command, 0).to_json(), r#"{"metadata":{},"status":"Success"}"#);
        let failed = ExitStatus::from_code(&command, 3);
        let message = "command terminated with non-zero exit code: error executing command [sh -c exit 3], exit code 3";
        assert_eq!(
            failed.to_json(),
            format!(
                r#"{{"metadata":{{}},"status":"Failure","message":"{message}","reason":"NonZeroExitCode","details":{{"causes":[{{"reason":"ExitCode","message":"3"}}]}}}}"#
            )
        );
        assert_eq!((failed.to_text(), ExitStatus::Success.to_text()), (message.to_owned(), String::new()));
        let broken = ExitStatus::Failed("no such container".to_owned());
        assert_eq!(
            broken.to_json(),
            r#"{"metadata":{},"status":"Failure","message":"Internal error occurred: no such container","reason":"InternalError","details":{"causes":[{"message":"no such container"}]},"code":500}"#
        );
    }
}
