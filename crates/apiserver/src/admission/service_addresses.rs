//! Services get their cluster addresses and node ports.

use std::net::Ipv4Addr;

use async_trait::async_trait;
use registry::{FieldError, Object};
use serde_json::{Map, Value, json};

use super::{Attributes, Operation, Plugin, Reservation};
use crate::services::{Hold, Services, TakeError, node_port};
use crate::status::ApiError;

pub(super) struct ServiceAddresses;

#[async_trait]
impl Plugin for ServiceAddresses {
    fn name(&self) -> &'static str {
        "ServiceAddresses"
    }

    fn handles(&self, attributes: &Attributes<'_>) -> bool {
        attributes.is("", "services", "") && attributes.operation != Operation::Delete
    }

    async fn admit(&self, attributes: &Attributes<'_>, object: &mut Object) -> Result<Option<Reservation>, ApiError> {
        let services = &attributes.call.server.services;
        services.catch_up().await?;
        let old = attributes.old.and_then(|old| old.get("spec")).and_then(Value::as_object);
        let owner = format!("{}/{}", attributes.namespace, attributes.name);
        let Some(Value::Object(spec)) = object.get_mut("spec") else { return Ok(None) };
        let mut taking = Taking { attributes, services, owner: &owner, holds: Vec::new() };
        taking.addresses(spec, old)?;
        taking.ports(spec, old)?;
        Ok(Some(Box::new(taking.holds)))
    }
}

struct Taking<'a> {
    attributes: &'a Attributes<'a>,
    services: &'a Services,
    owner: &'a str,
    holds: Vec<Hold>,
}

impl Taking<'_> {
    fn addresses(&mut self, spec: &mut Map<String, Value>, old: Option<&Map<String, Value>>) -> Result<(), ApiError> {
        if text(spec, "type") == "ExternalName" {
            for field in ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"] {
                // A client that turned the type has not said it wants the address kept.
                if old.is_none_or(|old| old.get(field) == spec.get(field)) {
                    spec.remove(field);
                }
            }
            return Ok(());
        }
        let policy = text(spec, "ipFamilyPolicy");
        if policy == "RequireDualStack" {
            let detail = "this cluster is not configured for dual-stack services";
            return Err(self.invalid(FieldError::invalid("spec.ipFamilyPolicy", policy, detail)));
        }
        let families = spec.get("ipFamilies").and_then(Value::as_array).cloned().unwrap_or_else(Vec::new);
        if families.iter().any(|family| family.as_str() != Some("IPv4")) {
            let detail = "not configured on this cluster";
            return Err(self.invalid(FieldError::invalid("spec.ipFamilies[0]", families[0].clone(), detail)));
        }
        let wanted = self.wanted_address(spec, old)?;
        if wanted == "None" {
            spec.insert("clusterIP".to_owned(), Value::from("None"));
            spec.insert("clusterIPs".to_owned(), json!(["None"]));
        } else {
            let chosen = if wanted.is_empty() { None } else { Some(self.parse(&wanted)?) };
            let random = &self.attributes.call.server.ambient.random;
            let (address, hold) = self
                .services
                .take_address(self.owner, chosen, random)
                .map_err(|error| self.address_refused(&wanted, &error))?;
            self.holds.push(hold);
            spec.insert("clusterIP".to_owned(), Value::from(address.to_string()));
            spec.insert("clusterIPs".to_owned(), json!([address.to_string()]));
        }
        spec.insert("ipFamilies".to_owned(), json!(["IPv4"]));
        if policy.is_empty() {
            spec.insert("ipFamilyPolicy".to_owned(), Value::from("SingleStack"));
        }
        Ok(())
    }

    /// The address the client wants: `clusterIP`, kept from before where an update leaves it out.
    fn wanted_address(&self, spec: &Map<String, Value>, old: Option<&Map<String, Value>>) -> Result<String, ApiError> {
        let first = |spec: &Map<String, Value>| {
            spec.get("clusterIPs").and_then(|all| all.get(0)).and_then(Value::as_str).unwrap_or("").to_owned()
        };
        let (single, listed) = (text(spec, "clusterIP"), first(spec));
        let before = old.map(|old| text(old, "clusterIP")).unwrap_or_default();
        if !single.is_empty() && !listed.is_empty() && single != listed && before.is_empty() {
            let detail = "first value must match `clusterIP`";
            let list = spec.get("clusterIPs").cloned().unwrap_or(Value::Null);
            return Err(self.invalid(FieldError::invalid("spec.clusterIPs", list, detail)));
        }
        let wanted = if single.is_empty() { listed } else { single };
        if before.is_empty() {
            return Ok(wanted);
        }
        if wanted.is_empty() {
            return Ok(before);
        }
        if wanted != before {
            return Err(self.invalid(FieldError::invalid("spec.clusterIPs[0]", wanted, "may not change once set")));
        }
        Ok(wanted)
    }

    fn parse(&self, text: &str) -> Result<Ipv4Addr, ApiError> {
        text.parse().map_err(|_| {
            let detail = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
            self.invalid(FieldError::invalid("spec.clusterIPs[0]", text, detail))
        })
    }

    fn address_refused(&self, wanted: &str, error: &TakeError) -> ApiError {
        let detail = match error {
            TakeError::Full => return ApiError::internal("failed to allocate a serviceIP: range is full"),
            TakeError::OutOfRange => {
                format!("failed to allocate IP {wanted}: the provided network does not match the current range")
            }
            TakeError::Taken => format!("failed to allocate IP {wanted}: provided IP is already allocated"),
        };
        self.invalid(FieldError::invalid("spec.clusterIPs", json!([wanted]), detail))
    }

    fn ports(&mut self, spec: &mut Map<String, Value>, old: Option<&Map<String, Value>>) -> Result<(), ApiError> {
        let kind = text(spec, "type");
        let balanced = kind == "LoadBalancer";
        let allocates = spec.get("allocateLoadBalancerNodePorts").and_then(Value::as_bool).unwrap_or(true);
        let exposes = kind == "NodePort" || balanced;
        let before: Vec<Value> =
            old.and_then(|old| old.get("ports")).and_then(Value::as_array).cloned().unwrap_or_else(Vec::new);
        let needs_health = balanced && text(spec, "externalTrafficPolicy") == "Local";
        let Some(Value::Array(ports)) = spec.get_mut("ports") else { return Ok(()) };
        let mut given: Vec<(String, u16)> = Vec::new();
        for (at, port) in ports.iter_mut().filter_map(Value::as_object_mut).enumerate() {
            let protocol = text(port, "protocol");
            let protocol = if protocol.is_empty() { "TCP".to_owned() } else { protocol };
            let value = Value::Object(port.clone());
            let mut wanted = node_port(&value);
            if !exposes {
                // A port that an earlier type had is given back; one the client chose is for validation.
                if before.iter().any(|earlier| node_port(earlier) == wanted) {
                    port.remove("nodePort");
                }
                continue;
            }
            if wanted.is_none() {
                wanted = before.iter().find(|earlier| same_port(earlier, &value)).and_then(node_port);
            }
            if wanted.is_none() && balanced && !allocates {
                continue;
            }
            // One number may serve several protocols of a Service: DNS over UDP and TCP.
            let shared = given.iter().find(|(other, number)| *other != protocol && Some(*number) == wanted);
            if let (Some(_), Some(number)) = (shared, wanted)
                && given.contains(&(protocol.clone(), number))
            {
                continue;
            }
            let random = &self.attributes.call.server.ambient.random;
            let taken = self.services.take_port(self.owner, &protocol, wanted, random);
            let (number, hold) = taken.map_err(|error| self.port_refused(at, wanted, &error))?;
            self.holds.push(hold);
            given.push((protocol, number));
            port.insert("nodePort".to_owned(), Value::from(number));
        }
        if needs_health && spec.get("healthCheckNodePort").and_then(Value::as_u64).unwrap_or(0) == 0 {
            let kept = old.and_then(|old| old.get("healthCheckNodePort")).and_then(Value::as_u64);
            let kept = kept.and_then(|port| u16::try_from(port).ok()).filter(|port| *port != 0);
            let random = &self.attributes.call.server.ambient.random;
            let taken = self.services.take_port(self.owner, "TCP", kept, random);
            let (number, hold) = taken.map_err(|error| self.port_refused(0, kept, &error))?;
            self.holds.push(hold);
            spec.insert("healthCheckNodePort".to_owned(), Value::from(number));
        }
        Ok(())
    }

    fn port_refused(&self, at: usize, wanted: Option<u16>, error: &TakeError) -> ApiError {
        let detail = match error {
            TakeError::Full => return ApiError::internal("failed to allocate a nodePort: range is full"),
            TakeError::OutOfRange => {
                format!(
                    "provided port is not in the valid range. The range of valid ports is {}",
                    self.services.port_range()
                )
            }
            TakeError::Taken => "provided port is already allocated".to_owned(),
        };
        self.invalid(FieldError::invalid(format!("spec.ports[{at}].nodePort"), wanted.unwrap_or(0), detail))
    }

    fn invalid(&self, fault: FieldError) -> ApiError {
        ApiError::invalid(self.attributes.kind, self.attributes.name, &[fault])
    }
}

/// Whether two entries speak of the same port of the Service.
fn same_port(a: &Value, b: &Value) -> bool {
    let protocol = |port: &Value| port.get("protocol").and_then(Value::as_str).unwrap_or("TCP").to_owned();
    a.get("port") == b.get("port") && protocol(a) == protocol(b)
}

fn text(object: &Map<String, Value>, field: &str) -> String {
    object.get(field).and_then(Value::as_str).unwrap_or("").to_owned()
}
