//! What upstream says of types and fields, packed until somebody asks.

use std::collections::HashMap;
use std::io::Read;

use flate2::read::ZlibDecoder;

/// Made by `cargo xtask codegen`: for each type a line `=NAME`, tab, description; below it one for each field.
static PACKED: &[u8] = include_bytes!("descriptions.zlib");

#[derive(Default)]
struct Described {
    text: String,
    fields: HashMap<String, String>,
}

/// By the full name of the type. Versions that upstream serves no more are described as their successors are.
pub(super) struct Descriptions {
    types: HashMap<String, Described>,
    /// By the last part of the name; stable versions' types first.
    successors: HashMap<String, Vec<String>>,
}

impl Descriptions {
    pub(super) fn unpack() -> std::io::Result<Self> {
        let mut text = String::new();
        ZlibDecoder::new(PACKED).read_to_string(&mut text)?;
        Ok(Descriptions::parse(&text))
    }

    fn parse(text: &str) -> Self {
        let mut types: HashMap<String, Described> = HashMap::new();
        let mut current = None;
        for line in text.lines() {
            let Some((name, description)) = line.split_once('\t') else { continue };
            match name.strip_prefix('=') {
                Some(name) => {
                    let described = types.entry(name.to_owned()).or_default();
                    described.text = unescaped(description);
                    current = Some(described);
                }
                None => {
                    if let Some(described) = &mut current {
                        described.fields.insert(name.to_owned(), unescaped(description));
                    }
                }
            }
        }
        let mut successors: HashMap<String, Vec<String>> = HashMap::new();
        for name in types.keys() {
            successors.entry(last_part(name).to_owned()).or_default().push(name.clone());
        }
        for names in successors.values_mut() {
            names.sort_by_key(|name| (name.contains("alpha") || name.contains("beta"), name.clone()));
        }
        Descriptions { types, successors }
    }

    pub(super) fn of_type(&self, name: &str) -> Option<&str> {
        self.candidates(name).map(|described| described.text.as_str()).find(|text| !text.is_empty())
    }

    pub(super) fn of_field(&self, owner: &str, field: &str) -> Option<&str> {
        self.candidates(owner).find_map(|described| described.fields.get(field)).map(String::as_str)
    }

    /// The type itself; where it is not described, those of its name, its own group's first.
    fn candidates(&self, name: &str) -> impl Iterator<Item = &Described> {
        let own = self.types.get(name);
        let alike =
            if own.is_some() { &[][..] } else { self.successors.get(last_part(name)).map_or(&[][..], Vec::as_slice) };
        let group = name.rsplitn(3, '.').nth(2).unwrap_or(name);
        let is_near = move |other: &&String| other.strip_prefix(group).is_some_and(|rest| rest.starts_with('.'));
        let near = alike.iter().filter(is_near);
        let far = alike.iter().filter(move |other| !is_near(other));
        own.into_iter().chain(near.chain(far).filter_map(|name| self.types.get(name)))
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
        let descriptions = Descriptions::parse(text);
        for name in [
            "io.k8s.api.apps.v1.Deployment",
            "io.k8s.api.apps.v1beta2.Deployment",
            "io.k8s.api.extensions.v1beta1.Deployment",
        ] {
            assert_eq!(descriptions.of_type(name), Some("New.\nBetter\\."), "{name}");
            assert_eq!(descriptions.of_field(name, "spec"), Some("Wanted."), "{name}");
        }
        assert_eq!(descriptions.of_type("io.k8s.api.other.v1beta1.Deployment"), Some("Other."));
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
