//! `Impersonate-*` headers: acting as somebody else, as far as RBAC allows it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use http::HeaderMap;

use super::{AUTHENTICATED, User, token};
use crate::server::ApiServer;
use crate::status::{ApiError, Subject};
use crate::wire::query::decode_segment;
use crate::wire::request_info::ResourceInfo;

const PREFIX: &str = "impersonate-";
const USER: &str = "impersonate-user";
const GROUP: &str = "impersonate-group";
const UID: &str = "impersonate-uid";
const EXTRA: &str = "impersonate-extra-";

/// Whether the request is to be carried out under another identity.
pub(crate) fn is_asked_for(headers: &HeaderMap) -> bool {
    headers.keys().any(|name| name.as_str().starts_with(PREFIX))
}

/// The identity the request is to be carried out under.
pub(crate) fn effective(server: &ApiServer, user: Arc<User>, headers: &mut HeaderMap) -> Result<Arc<User>, ApiError> {
    let text = |value: &http::HeaderValue| {
        value.to_str().map(str::to_owned).map_err(|_| ApiError::bad_request("invalid impersonation header"))
    };
    let name = headers.get(USER).map(text).transpose()?;
    let groups: Vec<String> = headers.get_all(GROUP).iter().map(text).collect::<Result<_, _>>()?;
    let uid = headers.get(UID).map(text).transpose()?;
    let mut extra: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (header, value) in headers.iter() {
        if let Some(key) = header.as_str().strip_prefix(EXTRA) {
            let key = decode_segment(key).map_or_else(|| key.to_owned(), Cow::into_owned);
            extra.entry(key).or_default().push(text(value)?);
        }
    }
    let Some(name) = name.filter(|name| !name.is_empty()) else {
        if groups.is_empty() && uid.is_none() && extra.is_empty() {
            return Ok(user);
        }
        let message = "requested [{Group}] without impersonating a user";
        return Err(ApiError::internal(message));
    };
    check(server, &user, &name, &groups, uid.as_deref(), &extra)?;
    let mut acting = match service_account_of(&name) {
        Some((namespace, account)) if groups.is_empty() => token::service_account(namespace, account),
        _ => User { name: name.clone(), groups, ..User::default() },
    };
    if acting.name != super::ANONYMOUS && !acting.is_in(super::UNAUTHENTICATED) && !acting.is_in(AUTHENTICATED) {
        acting.groups.push(AUTHENTICATED.to_owned());
    }
    acting.uid = uid.unwrap_or_default();
    acting.extra = extra;
    // Nothing behind this point may impersonate again.
    let names: Vec<_> = headers.keys().filter(|name| name.as_str().starts_with(PREFIX)).cloned().collect();
    for name in names {
        headers.remove(name);
    }
    Ok(Arc::new(acting))
}

fn check(
    server: &ApiServer,
    user: &User,
    name: &str,
    groups: &[String],
    uid: Option<&str>,
    extra: &BTreeMap<String, Vec<String>>,
) -> Result<(), ApiError> {
    let mut asked = Vec::new();
    match service_account_of(name) {
        Some((namespace, account)) => asked.push(resource("", "serviceaccounts", "", namespace, account)),
        None => asked.push(resource("", "users", "", "", name)),
    }
    asked.extend(groups.iter().map(|group| resource("", "groups", "", "", group)));
    asked.extend(uid.map(|uid| resource("authentication.k8s.io", "uids", "", "", uid)));
    for (key, values) in extra {
        asked.extend(values.iter().map(|value| resource("authentication.k8s.io", "userextras", key, "", value)));
    }
    for info in &asked {
        if !user.is_in(super::MASTERS) && !server.rbac.allows_resource(user, "impersonate", info) {
            let why = crate::authorize::denial(user, "impersonate", info);
            let subject = Subject { group: &info.group, resource: &info.resource, name: &info.name };
            return Err(ApiError::forbidden(subject, &why));
        }
    }
    Ok(())
}

fn resource(group: &str, resource: &str, subresource: &str, namespace: &str, name: &str) -> ResourceInfo {
    ResourceInfo {
        group: group.to_owned(),
        version: "v1".to_owned(),
        resource: resource.to_owned(),
        subresource: subresource.to_owned(),
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        rest: String::new(),
    }
}

fn service_account_of(name: &str) -> Option<(&str, &str)> {
    name.strip_prefix("system:serviceaccount:")?.split_once(':').filter(|(_, account)| !account.contains(':'))
}
