//! `$setElementOrder/<list>`: how a merged list is arranged.

use serde_json::Value;

use super::{PatchError, malformed};
use crate::Object;
use crate::schema::Patch;

pub(super) const ELEMENT_ORDER: &str = "$setElementOrder/";

/// How the patch wants a list ordered, and the list as it was before the patch.
pub(super) struct ElementOrder<'a> {
    pub(super) list: &'a str,
    pub(super) order: &'a [Value],
    pub(super) before: Vec<Value>,
}

pub(super) fn element_orders<'a>(target: &Object, patch: &'a Object) -> Result<Vec<ElementOrder<'a>>, PatchError> {
    let mut orders = Vec::new();
    for (key, order) in patch {
        if let Some(list) = key.strip_prefix(ELEMENT_ORDER) {
            let order =
                order.as_array().ok_or_else(|| malformed("invalid patch format of setElementOrder list".to_owned()))?;
            let before = target.get(list).and_then(Value::as_array).cloned().unwrap_or_else(Vec::new);
            orders.push(ElementOrder { list, order, before });
        }
    }
    Ok(orders)
}

/// Orders a merged list as `order` says. Items it does not name are the server's own: each stands before
/// the first named item that it stood before already.
pub(super) fn order_items(items: &mut Vec<Value>, order: &[Value], before: &[Value], patch: Patch) {
    let (Patch::Merge(merge_key) | Patch::MergeRetainingKeys(merge_key)) = patch else { return };
    let identity = |item: &Value| match merge_key.is_empty() {
        true => item.clone(),
        false => item.get(merge_key).cloned().unwrap_or(Value::Null),
    };
    let place_in = |list: &[Value], item: &Value| {
        let wanted = identity(item);
        list.iter().position(|other| identity(other) == wanted)
    };
    let (mut named, unnamed): (Vec<_>, Vec<_>) = items.drain(..).partition(|item| place_in(order, item).is_some());
    named.sort_by_key(|item| place_in(order, item));
    let mut unnamed = unnamed.into_iter().peekable();
    for item in named {
        // An item the patch brought stood nowhere, so nothing stood before it.
        let place = place_in(before, &item).unwrap_or(0);
        while let Some(own) = unnamed.next_if(|own| place_in(before, own).is_some_and(|at| at < place)) {
            items.push(own);
        }
        items.push(item);
    }
    items.extend(unnamed);
}
