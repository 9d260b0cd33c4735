//! Who a container runs as: CRI's fields, the image's `User`, and the image's own files.

use cri::{LinuxContainerSecurityContext, SupplementalGroupsPolicy};

/// The text of the image's account files; empty where there is none.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Accounts<'a> {
    /// `/etc/passwd`
    pub(crate) users: &'a str,
    /// `/etc/group`
    pub(crate) groups: &'a str,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    /// Sorted, with the primary group.
    pub(crate) groups: Vec<u32>,
    pub(crate) home: String,
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum UserError {
    #[error("unable to find user {0}: no matching entries in passwd file")]
    NoUser(String),
    #[error("unable to find group {0}: no matching entries in group file")]
    NoGroup(String),
    #[error("{0} is not a valid user or group id")]
    OutOfRange(i64),
    #[error("run_as_group is set without run_as_user")]
    GroupWithoutUser,
}

struct Account<'a> {
    name: &'a str,
    uid: u32,
    gid: u32,
    home: &'a str,
}

/// Decides the identity as containerd does.
pub(crate) fn resolve(
    context: &LinuxContainerSecurityContext,
    image_user: &str,
    accounts: Accounts<'_>,
) -> Result<Identity, UserError> {
    let number = |value: i64| u32::try_from(value).map_err(|_| UserError::OutOfRange(value));
    let (user, group) = match (&context.run_as_user, context.run_as_username.as_str()) {
        (Some(uid), _) => (number(uid.value)?.to_string(), ""),
        (None, "") => match image_user.split_once(':') {
            Some((user, group)) => (user.to_owned(), group),
            None => (image_user.to_owned(), ""),
        },
        (None, name) => (name.to_owned(), ""),
    };
    if context.run_as_group.is_some() && context.run_as_user.is_none() && context.run_as_username.is_empty() {
        return Err(UserError::GroupWithoutUser);
    }
    let account = find_account(&user, accounts.users);
    let uid = match (&account, user.as_str()) {
        (Some(account), _) => account.uid,
        (None, "") => 0,
        (None, user) => user.parse().map_err(|_| UserError::NoUser(user.to_owned()))?,
    };
    let gid = match (&context.run_as_group, group) {
        (Some(gid), _) => number(gid.value)?,
        (None, "") => account.as_ref().map_or(0, |account| account.gid),
        (None, group) => find_group(group, accounts.groups)?,
    };
    let mut groups = vec![gid];
    let strict = context.supplemental_groups_policy == SupplementalGroupsPolicy::Strict as i32;
    if let Some(account) = &account
        && !strict
    {
        groups.extend(memberships(account.name, accounts.groups));
    }
    for group in &context.supplemental_groups {
        groups.push(number(*group)?);
    }
    groups.sort_unstable();
    groups.dedup();
    let home = account.map(|account| account.home).filter(|home| !home.is_empty()).unwrap_or("/");
    Ok(Identity { uid, gid, groups, home: home.to_owned() })
}

/// By name first; a number that is nobody's name is an id. The empty name is root.
fn find_account<'a>(user: &str, passwd: &'a str) -> Option<Account<'a>> {
    let parse = |line: &'a str| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        let uid = fields.nth(1)?.parse().ok()?;
        let gid = fields.next()?.parse().ok()?;
        let home = fields.nth(1).unwrap_or("");
        Some(Account { name, uid, gid, home })
    };
    let user = if user.is_empty() { "0" } else { user };
    let by_name = passwd.lines().filter_map(parse).find(|account| account.name == user);
    by_name.or_else(|| {
        let uid: u32 = user.parse().ok()?;
        passwd.lines().filter_map(parse).find(|account| account.uid == uid)
    })
}

fn find_group(group: &str, file: &str) -> Result<u32, UserError> {
    let entry = file.lines().find(|line| line.split(':').next() == Some(group));
    let gid = entry.and_then(|line| line.split(':').nth(2)?.parse().ok()).or_else(|| group.parse().ok());
    gid.ok_or_else(|| UserError::NoGroup(group.to_owned()))
}

fn memberships<'a>(name: &'a str, file: &'a str) -> impl Iterator<Item = u32> + 'a {
    file.lines().filter_map(move |line| {
        let mut fields = line.split(':');
        let gid = fields.nth(2)?.parse().ok()?;
        fields.next()?.split(',').any(|member| member.trim() == name).then_some(gid)
    })
}

#[cfg(test)]
mod tests {
    use cri::Int64Value;

    use super::*;

    const ACCOUNTS: Accounts<'static> = Accounts {
        users: "root:x:0:0:root:/root:/bin/sh\nwww:x:33:34:web:/var/www:/bin/false\n",
        groups: "root:x:0:\nweb:x:34:\nlogs:x:40:www,other\n1234:x:50:\n",
    };

    fn check(
        context: LinuxContainerSecurityContext,
        image_user: &str,
        expected: Result<(u32, u32, &[u32], &str), UserError>,
    ) {
        let found = resolve(&context, image_user, ACCOUNTS);
        let expected = expected.map(|(uid, gid, groups, home)| Identity {
            uid,
            gid,
            groups: groups.to_vec(),
            home: home.to_owned(),
        });
        assert_eq!(found, expected, "image user {image_user:?}");
    }

    #[test]
    fn the_images_user_counts_unless_the_pod_says_otherwise() {
        let none = LinuxContainerSecurityContext::default();
        check(none.clone(), "", Ok((0, 0, &[0], "/root")));
        check(none.clone(), "www", Ok((33, 34, &[34, 40], "/var/www")));
        check(none.clone(), "33:logs", Ok((33, 40, &[40], "/var/www")));
        check(none.clone(), "1000:1000", Ok((1000, 1000, &[1000], "/")));
        check(none.clone(), "nobody", Err(UserError::NoUser("nobody".to_owned())));
        check(none, "33:nogroup", Err(UserError::NoGroup("nogroup".to_owned())));
    }

    #[test]
    fn the_pods_user_and_groups_win() {
        let context = LinuxContainerSecurityContext {
            run_as_user: Some(Int64Value { value: 33 }),
            supplemental_groups: vec![2000],
            ..Default::default()
        };
        check(context.clone(), "root", Ok((33, 34, &[34, 40, 2000], "/var/www")));
        let strict = LinuxContainerSecurityContext {
            supplemental_groups_policy: SupplementalGroupsPolicy::Strict as i32,
            run_as_group: Some(Int64Value { value: 7 }),
            ..context
        };
        check(strict, "root", Ok((33, 7, &[7, 2000], "/var/www")));
        let negative =
            LinuxContainerSecurityContext { run_as_user: Some(Int64Value { value: -1 }), ..Default::default() };
        check(negative, "", Err(UserError::OutOfRange(-1)));
    }
}
