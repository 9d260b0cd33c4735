//! Bounds that are numbers or shares of a whole.

use api::k8s::apimachinery::pkg::util::intstr::IntOrString;

/// `25%` of a total, or the number as it stands. What cannot be read is nothing.
pub(crate) fn share_of(bound: &IntOrString, total: i32, round_up: bool) -> i32 {
    match bound {
        IntOrString::Int(count) => *count,
        IntOrString::String(text) => {
            let percent: i64 = text.strip_suffix('%').and_then(|percent| percent.parse().ok()).unwrap_or(0);
            let hundredths = i64::from(total) * percent;
            let count = if round_up { (hundredths + 99) / 100 } else { hundredths / 100 };
            i32::try_from(count).unwrap_or(i32::MAX)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_round_as_told() {
        let percent = |text: &str, total, round_up| share_of(&IntOrString::String(text.into()), total, round_up);
        assert_eq!((percent("25%", 10, true), percent("25%", 10, false)), (3, 2));
        assert_eq!((percent("100%", 7, true), percent("0%", 7, true), percent("many", 7, true)), (7, 0, 0));
        assert_eq!(share_of(&IntOrString::Int(4), 2, true), 4);
    }
}
