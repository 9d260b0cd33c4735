//! Many like calls, carefully begun.

use std::future::Future;

use futures::future::join_all;

/// How a batch ended.
#[derive(Debug, PartialEq, Eq)]
pub struct BatchResult<E> {
    pub succeeded: usize,
    /// Calls never made, because an earlier round had failures.
    pub skipped: usize,
    pub first_error: Option<E>,
}

/// Makes `count` calls in rounds of 1, 2, 4 … at once, and stops after a round with a failure: what
/// is bound to fail (an exhausted quota, say) fails once and not a thousand times.
pub async fn slow_start<F, E>(count: usize, mut call: impl FnMut(usize) -> F) -> BatchResult<E>
where
    F: Future<Output = Result<(), E>>,
{
    let mut result = BatchResult { succeeded: 0, skipped: 0, first_error: None };
    let (mut next, mut round) = (0, 1);
    while next < count && result.first_error.is_none() {
        let end = count.min(next + round);
        for outcome in join_all((next..end).map(&mut call)).await {
            match outcome {
                Ok(()) => result.succeeded += 1,
                Err(error) => result.first_error = result.first_error.or(Some(error)),
            }
        }
        next = end;
        round *= 2;
    }
    result.skipped = count - next;
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn stops_after_the_round_that_failed() {
        let all = slow_start(10, |_| async { Ok::<(), usize>(()) }).await;
        assert_eq!(all, BatchResult { succeeded: 10, skipped: 0, first_error: None });
        let failing = slow_start(10, |index| async move { if index >= 2 { Err(index) } else { Ok(()) } }).await;
        assert_eq!(failing, BatchResult { succeeded: 2, skipped: 7, first_error: Some(2) });
    }
}
