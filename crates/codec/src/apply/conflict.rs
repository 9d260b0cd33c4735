//! Fields that another manager owns and an apply would change.

use std::fmt;

use super::element::{PathElement, path_text};
use super::managed::{Manager, Operation};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    pub manager: Manager,
    pub path: Vec<PathElement>,
}

impl Conflict {
    /// The field, as causes name it: `.spec.replicas`.
    pub fn field(&self) -> String {
        path_text(&self.path)
    }

    /// The cause's message: `conflict with "kubectl" using apps/v1`.
    pub fn message(&self) -> String {
        format!("conflict with {}", self.manager)
    }
}

/// As messages print a manager: `"kubectl" with subresource "status" using apps/v1`.
impl fmt::Display for Manager {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?}", self.name)?;
        if !self.subresource.is_empty() {
            write!(formatter, " with subresource {:?}", self.subresource)?;
        }
        match self.operation {
            Operation::Update => write!(formatter, " using {}", self.api_version),
            Operation::Apply => Ok(()),
        }
    }
}

/// What a refused apply says of all its conflicts, which are ordered by manager.
pub fn conflict_message(conflicts: &[Conflict]) -> String {
    if let [only] = conflicts {
        return format!("Apply failed with 1 conflict: {}: {}", only.message(), only.field());
    }
    let mut lines = Vec::with_capacity(conflicts.len() + 1);
    for (at, conflict) in conflicts.iter().enumerate() {
        if at == 0 || conflicts[at - 1].manager != conflict.manager {
            lines.push(format!("conflicts with {}:", conflict.manager));
        }
        lines.push(format!("- {}", conflict.field()));
    }
    format!("Apply failed with {} conflicts: {}", conflicts.len(), lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conflict(name: &str, operation: Operation, subresource: &str, field: &str) -> Conflict {
        let manager = Manager {
            name: name.to_owned(),
            operation,
            api_version: if operation == Operation::Update { "apps/v1".to_owned() } else { String::new() },
            subresource: subresource.to_owned(),
        };
        Conflict { manager, path: vec![PathElement::field("spec"), PathElement::field(field)] }
    }

    #[test]
    fn conflicts_read_as_kubectl_prints_them() {
        let one = [conflict("kubectl", Operation::Update, "", "replicas")];
        let expected = r#"Apply failed with 1 conflict: conflict with "kubectl" using apps/v1: .spec.replicas"#;
        assert_eq!(conflict_message(&one), expected);
        let several = [
            conflict("a", Operation::Apply, "", "x"),
            conflict("a", Operation::Apply, "", "y"),
            conflict("b", Operation::Update, "scale", "x"),
        ];
        let expected = "Apply failed with 3 conflicts: conflicts with \"a\":\n- .spec.x\n- .spec.y\nconflicts with \"b\" \
                        with subresource \"scale\" using apps/v1:\n- .spec.x";
        assert_eq!(conflict_message(&several), expected);
    }
}
