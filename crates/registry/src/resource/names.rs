//! Names that devices, pools and attributes may have.

use crate::error::FieldError;
use crate::fields::invalid_all;
use crate::names;

const MAX_POOL_NAME_BYTES: usize = 253;
const MAX_IDENTIFIER_BYTES: usize = 32;

/// DNS subdomains between slashes.
pub(super) fn check_pool(name: &str, path: &str, faults: &mut Vec<FieldError>) {
    if name.is_empty() {
        return faults.push(FieldError::required(path, ""));
    }
    if name.len() > MAX_POOL_NAME_BYTES {
        faults.push(FieldError::too_long(path, MAX_POOL_NAME_BYTES));
    }
    for part in name.split('/') {
        invalid_all(path, part, names::dns_subdomain(part), faults);
    }
}

pub(super) fn check_label(name: &str, path: &str, faults: &mut Vec<FieldError>) {
    invalid_all(path, name, names::dns_label(name), faults);
}

pub(super) fn check_device_class(name: &str, path: &str, faults: &mut Vec<FieldError>) {
    match name {
        "" => faults.push(FieldError::required(path, "")),
        name => invalid_all(path, name, names::dns_subdomain(name), faults),
    }
}

/// `name` or `domain/name`. More slashes are let through, as upstream does.
pub(super) fn check_qualified(name: &str, path: &str, faults: &mut Vec<FieldError>) {
    match name.split('/').collect::<Vec<_>>()[..] {
        [name] => check_identifier(name, path, faults),
        [domain, name] => {
            match domain {
                "" => faults.push(FieldError::invalid(path, "", "the domain must not be empty")),
                domain => names::driver_name(domain, path, faults),
            }
            match name {
                "" => faults.push(FieldError::invalid(path, "", "the name must not be empty")),
                name => check_identifier(name, path, faults),
            }
        }
        _ => {}
    }
}

pub(super) fn check_fully_qualified(name: &str, path: &str, faults: &mut Vec<FieldError>) {
    check_qualified(name, path, faults);
    if !name.contains('/') {
        let detail = "a fully qualified name must be a domain and a name separated by a slash";
        faults.push(FieldError::invalid(path, name, detail));
    }
}

fn check_identifier(name: &str, path: &str, faults: &mut Vec<FieldError>) {
    if name.len() > MAX_IDENTIFIER_BYTES {
        faults.push(FieldError::too_long(path, MAX_IDENTIFIER_BYTES));
    }
    invalid_all(path, name, names::c_identifier(name), faults);
}
