//! What upstream says of types and fields, packed until somebody asks.

use std::collections::{BTreeMap, HashMap};
use std::io::{BufRead, BufReader};

use flate2::read::ZlibDecoder;

/// Made by `cargo xtask codegen`: for each type a line `=NAME`, tab, description; below it one for each field.
static PACKED: &[u8] = include_bytes!("descriptions.zlib");

/// By the full name of the type. Versions that upstream serves no more are described as their successors are.
pub(super) struct Descriptions {
    /// A type's lines as they were packed, its own first: thousands of small texts would take twice the room.
    types: BTreeMap<Box<str>, Box<str>>,
    /// By the last part of the name; stable versions' types first.
    successors: HashMap<Box<str>, Vec<Box<str>>>,
}

impl Descriptions {
    pub(super) fn unpack() -> std::io::Result<Self> {
        Descriptions::read(BufReader::new(ZlibDecoder::new(PACKED)))
    }

    fn read(packed: impl BufRead) -> std::io::Result<Self> {
        let mut types: BTreeMap<Box<str>, Box<str>> = BTreeMap::new();
        let (mut name, mut lines) = (String::new(), String::new());
        for line in packed.lines() {
            let line = line?;
            match line.strip_prefix('=').and_then(|line| line.split_once('\t')) {
                Some((next, description)) => {
                    types.insert(std::mem::take(&mut name).into(), std::mem::take(&mut lines).into());
                    name.push_str(next);
                    lines.push_str(description);
                }
                None => {
                    lines.push('\n');
                    lines.push_str(&line);
                }
            }
        }
        types.insert(name.into(), lines.into());
        let mut successors: HashMap<Box<str>, Vec<Box<str>>> = HashMap::new();
        for name in types.keys() {
            successors.entry(last_part(name).into()).or_default().push(name.clone());
        }
        for names in successors.values_mut() {
            names.sort_by_key(|name| (name.contains("alpha") || name.contains("beta"), name.clone()));
        }
        Ok(Descriptions { types, successors })
    }

    pub(super) fn of_type(&self, name: &str) -> Option<String> {
        let own = self.candidates(name).filter_map(|lines| lines.lines().next());
        own.map(unescaped).find(|text| !text.is_empty())
    }

    pub(super) fn of_field(&self, owner: &str, field: &str) -> Option<String> {
        self.candidates(owner).find_map(|lines| {
            let fields = lines.lines().skip(1).filter_map(|line| line.split_once('\t'));
            fields.into_iter().find(|(name, _)| *name == field).map(|(_, text)| unescaped(text))
        })
    }

    /// The type itself; where it is not described, those of its name, its own group's first.
    fn candidates(&self, name: &str) -> impl Iterator<Item = &str> {
        let own = self.types.get(name);
        let alike =
            if own.is_some() { &[][..] } else { self.successors.get(last_part(name)).map_or(&[][..], Vec::as_slice) };
        let group = name.rsplitn(3, '.').nth(2).unwrap_or(name);
        let is_near = |other: &str| other.strip_prefix(group).is_some_and(|rest| rest.starts_with('.'));
        let (near, far): (Vec<_>, Vec<_>) = alike.iter().partition(|other| is_near(other));
        own.into_iter().chain(near.into_iter().chain(far).filter_map(|name| self.types.get(name))).map(Box::as_ref)
    }
}

fn last_part(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

fn unescaped(text: &str) -> String {
    let mut whole = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' if chars.as_str().starts_with('n') => {
                chars.next();
                whole.push('\n');
            }
            '\\' => whole.extend(chars.next()),
            c => whole.push(c),
        }
    }
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn removed_versions_are_described_as_their_successors() {
        let text = "=io.k8s.api.apps.v1.Deployment\tNew.\\nBetter\\\\.\nspec\tWanted.\n=io.k8s.api.other.v1.Deployment\tOther.\n";
        let descriptions = Descriptions::read(text.as_bytes()).unwrap();
        for name in [
            "io.k8s.api.apps.v1.Deployment",
            "io.k8s.api.apps.v1beta2.Deployment",
            "io.k8s.api.extensions.v1beta1.Deployment",
        ] {
            assert_eq!(descriptions.of_type(name).as_deref(), Some("New.\nBetter\\."), "{name}");
            assert_eq!(descriptions.of_field(name, "spec").as_deref(), Some("Wanted."), "{name}");
        }
        assert_eq!(descriptions.of_type("io.k8s.api.other.v1beta1.Deployment").as_deref(), Some("Other."));
        assert_eq!(descriptions.of_type("io.k8s.api.apps.v1.Nothing"), None);
    }

    #[test]
    fn what_is_packed_speaks_of_pods() {
        let descriptions = Descriptions::unpack().unwrap();
        let pod = descriptions.of_type("io.k8s.api.core.v1.Pod").unwrap();
        assert!(pod.starts_with("Pod is a collection of containers that can run on a host."), "{pod}");
        let replicas = descriptions.of_field("io.k8s.api.apps.v1.DeploymentSpec", "replicas").unwrap();
        assert!(replicas.starts_with("Number of desired pods."), "{replicas}");
    }
}
