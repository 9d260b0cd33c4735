//! Label selectors, in both of the API's forms.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;

/// A conjunction of requirements; an empty one selects everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selector {
    pub requirements: Vec<Requirement>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requirement {
    pub key: String,
    pub operator: Operator,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operator {
    In(Vec<String>),
    /// Also true where the key is absent.
    NotIn(Vec<String>),
    Exists,
    DoesNotExist,
    /// Numeric comparison; false where either side is no integer. Node affinity has these.
    GreaterThan(i64),
    LessThan(i64),
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SelectorError {
    #[error("unable to parse requirement: {0}")]
    Syntax(String),
    #[error("{0:?} is not a valid label selector operator")]
    Operator(String),
    #[error("for 'in', 'notin' operators, values set can't be empty")]
    NoValues,
}

impl Selector {
    pub fn everything() -> Self {
        Selector::default()
    }

    /// The structured form. `None` in the API selects nothing; the caller decides that.
    pub fn from_label_selector(selector: &LabelSelector) -> Result<Self, SelectorError> {
        let mut requirements = Vec::new();
        for (key, value) in selector.match_labels.iter().flatten() {
            requirements.push(Requirement { key: key.clone(), operator: Operator::In(vec![value.clone()]) });
        }
        for expression in selector.match_expressions.iter().flatten() {
            let values = expression.values.clone().unwrap_or_default();
            requirements.push(Requirement::from_parts(&expression.key, &expression.operator, values)?);
        }
        Ok(Selector { requirements })
    }

    /// Plain equality, as Services and ReplicationControllers have it.
    pub fn from_map<'a>(labels: impl IntoIterator<Item = (&'a String, &'a String)>) -> Self {
        let requirements = labels
            .into_iter()
            .map(|(key, value)| Requirement { key: key.clone(), operator: Operator::In(vec![value.clone()]) })
            .collect();
        Selector { requirements }
    }

    /// The query form: `app=web,tier!=db,zone in (a,b),!canary,cores>2`.
    pub fn parse(text: &str) -> Result<Self, SelectorError> {
        let mut requirements = Vec::new();
        for part in split_outside_parentheses(text) {
            let part = part.trim();
            if !part.is_empty() {
                requirements.push(Requirement::parse(part)?);
            } else if !text.trim().is_empty() {
                return Err(SelectorError::Syntax(format!("found ',', expected: identifier in {text:?}")));
            }
        }
        Ok(Selector { requirements })
    }

    pub fn matches(&self, labels: &BTreeMap<String, String>) -> bool {
        self.requirements.iter().all(|requirement| requirement.matches(labels))
    }

    /// As [`Selector::matches`], for labels that may be missing altogether.
    pub fn matches_optional(&self, labels: Option<&BTreeMap<String, String>>) -> bool {
        labels.map_or_else(|| self.matches(&BTreeMap::new()), |labels| self.matches(labels))
    }

    pub fn is_everything(&self) -> bool {
        self.requirements.is_empty()
    }
}

impl Requirement {
    /// Key, operator and values as the structured forms spell them (`In`, `NotIn`, `Exists`,
    /// `DoesNotExist`, `Gt`, `Lt`).
    pub fn from_parts(key: &str, operator: &str, values: Vec<String>) -> Result<Self, SelectorError> {
        let integer = |values: &[String]| {
            let text = values.first().ok_or(SelectorError::NoValues)?;
            text.parse().map_err(|_| SelectorError::Syntax(format!("{text:?} is not an integer")))
        };
        let operator = match operator {
            "In" | "NotIn" if values.is_empty() => return Err(SelectorError::NoValues),
            "In" => Operator::In(values),
            "NotIn" => Operator::NotIn(values),
            "Exists" => Operator::Exists,
            "DoesNotExist" => Operator::DoesNotExist,
            "Gt" => Operator::GreaterThan(integer(&values)?),
            "Lt" => Operator::LessThan(integer(&values)?),
            other => return Err(SelectorError::Operator(other.to_owned())),
        };
        Ok(Requirement { key: key.to_owned(), operator })
    }

    fn parse(part: &str) -> Result<Self, SelectorError> {
        let key_is_valid = |key: &str| {
            !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/'))
        };
        let requirement = |key: &str, operator| {
            let key = key.trim();
            if key_is_valid(key) {
                Ok(Requirement { key: key.to_owned(), operator })
            } else {
                Err(SelectorError::Syntax(format!("invalid label key {key:?} in {part:?}")))
            }
        };
        let bound = |text: &str| {
            let text = text.trim();
            text.parse().map_err(|_| SelectorError::Syntax(format!("{text:?} is not an integer")))
        };
        if let Some(open) = part.find('(') {
            let values = part[open + 1..].strip_suffix(')');
            let values = values.ok_or_else(|| SelectorError::Syntax(format!("no closing parenthesis in {part:?}")))?;
            let values: Vec<String> = values.split(',').map(|value| value.trim().to_owned()).collect();
            let mut words = part[..open].split_whitespace();
            return match (words.next(), words.next(), words.next()) {
                (Some(key), Some("in"), None) => requirement(key, Operator::In(values)),
                (Some(key), Some("notin"), None) => requirement(key, Operator::NotIn(values)),
                _ => Err(SelectorError::Syntax(format!("expected 'in' or 'notin' in {part:?}"))),
            };
        }
        if let Some((key, value)) = part.split_once("!=") {
            return requirement(key, Operator::NotIn(vec![value.trim().to_owned()]));
        }
        if let Some((key, value)) = part.split_once("==").or_else(|| part.split_once('=')) {
            return requirement(key, Operator::In(vec![value.trim().to_owned()]));
        }
        if let Some((key, value)) = part.split_once('>') {
            return requirement(key, Operator::GreaterThan(bound(value)?));
        }
        if let Some((key, value)) = part.split_once('<') {
            return requirement(key, Operator::LessThan(bound(value)?));
        }
        match part.strip_prefix('!') {
            Some(key) => requirement(key, Operator::DoesNotExist),
            None => requirement(part, Operator::Exists),
        }
    }

    pub fn matches(&self, labels: &BTreeMap<String, String>) -> bool {
        self.matches_value(labels.get(&self.key).map(String::as_str))
    }

    /// As [`Requirement::matches`], given what stands under the key.
    pub fn matches_value(&self, value: Option<&str>) -> bool {
        let number = || value.and_then(|value| value.parse::<i64>().ok());
        let among = |values: &[String], value| values.iter().any(|candidate| candidate == value);
        match &self.operator {
            Operator::In(values) => value.is_some_and(|value| among(values, value)),
            Operator::NotIn(values) => value.is_none_or(|value| !among(values, value)),
            Operator::Exists => value.is_some(),
            Operator::DoesNotExist => value.is_none(),
            Operator::GreaterThan(bound) => number().is_some_and(|number| number > *bound),
            Operator::LessThan(bound) => number().is_some_and(|number| number < *bound),
        }
    }
}

fn split_outside_parentheses(text: &str) -> Vec<&str> {
    let (mut parts, mut depth, mut start) = (Vec::new(), 0usize, 0);
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn the_query_form_selects_as_upstream_does() {
        let web = labels(&[("app", "web"), ("zone", "b"), ("cores", "4")]);
        for (text, expected) in [
            ("", true),
            ("app=web", true),
            ("app==web", true),
            ("app = web , zone=b", true),
            ("app!=web", false),
            ("tier!=db", true),
            ("zone in (a, b)", true),
            ("zone notin (a,b)", false),
            ("tier notin (a)", true),
            ("app", true),
            ("!app", false),
            ("!tier", true),
            ("app=web,zone in (a)", false),
            ("cores>3", true),
            ("cores < 4", false),
            ("zone>1", false),
        ] {
            assert_eq!(Selector::parse(text).unwrap().matches(&web), expected, "{text}");
        }
        for text in ["a,,b", "zone in (a", "zone within (a)", "a b", "=x", "app=web,", "cores>many"] {
            assert!(Selector::parse(text).is_err(), "{text}");
        }
    }
}
