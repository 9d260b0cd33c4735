//! A value that moves, and those who wait for it to: like tokio's watch channel, but whoever came
//! first is woken first. (Tokio's wakes in random order, which a simulation cannot repeat.)

use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use crate::waiters::{Place, Waiters, Wakeups};

/// The side that moves the value. Dropping it tells the receivers that the value stays.
#[derive(Debug)]
pub struct Signal<T> {
    shared: Arc<Shared<T>>,
}

/// The side that waits.
#[derive(Debug)]
pub struct Receiver<T> {
    shared: Arc<Shared<T>>,
    /// The version that [`Receiver::changed`] has told of.
    seen: u64,
    place: Place,
}

/// The value will not move any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the value will not change any more")]
pub struct Closed;

#[derive(Debug)]
struct Shared<T>(Mutex<State<T>>);

#[derive(Debug)]
struct State<T> {
    value: T,
    version: u64,
    is_closed: bool,
    waiters: Waiters,
}

impl<T: Clone> Signal<T> {
    pub fn new(value: T) -> Self {
        let state = State { value, version: 0, is_closed: false, waiters: Waiters::default() };
        Signal { shared: Arc::new(Shared(Mutex::new(state))) }
    }

    pub fn get(&self) -> T {
        self.shared.lock().value.clone()
    }

    /// Moves the value and wakes everybody who waits.
    pub fn set(&self, value: T) {
        self.set_quietly(value).wake();
    }

    /// Moves the value and leaves the waking to the caller.
    pub fn set_quietly(&self, value: T) -> Wakeups {
        let mut state = self.shared.lock();
        state.value = value;
        state.version += 1;
        state.waiters.take()
    }

    /// A receiver that has seen the present value.
    pub fn subscribe(&self) -> Receiver<T> {
        let seen = self.shared.lock().version;
        Receiver { shared: self.shared.clone(), seen, place: Place::default() }
    }
}

impl<T> Drop for Signal<T> {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.is_closed = true;
        let waiting = state.waiters.take();
        drop(state);
        waiting.wake();
    }
}

impl<T: Clone> Receiver<T> {
    pub fn get(&self) -> T {
        self.shared.lock().value.clone()
    }

    /// Waits until the value has moved since the last call; returns where to.
    pub async fn changed(&mut self) -> Result<T, Closed> {
        poll_fn(|context| self.poll_changed(context)).await
    }

    /// What the value was moved to until now is not told by [`Receiver::changed`] any more.
    pub fn mark_seen(&mut self) {
        self.seen = self.shared.lock().version;
    }

    /// Waits until the value satisfies `condition`, which may be at once.
    pub async fn wait_for(&mut self, mut condition: impl FnMut(&T) -> bool) -> Result<T, Closed> {
        let mut value = self.get();
        while !condition(&value) {
            value = self.changed().await?;
        }
        Ok(value)
    }

    pub fn poll_changed(&mut self, context: &mut Context<'_>) -> Poll<Result<T, Closed>> {
        let mut state = self.shared.lock();
        if state.version != self.seen {
            self.seen = state.version;
            return Poll::Ready(Ok(state.value.clone()));
        }
        if state.is_closed {
            return Poll::Ready(Err(Closed));
        }
        state.waiters.wait(&mut self.place, context.waker());
        Poll::Pending
    }
}

impl<T> Clone for Receiver<T> {
    fn clone(&self) -> Self {
        Receiver { shared: self.shared.clone(), seen: self.seen, place: Place::default() }
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        self.shared.lock().waiters.leave(&mut self.place);
    }
}

impl<T> Shared<T> {
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn receivers_learn_of_the_newest_value_in_the_order_they_came() {
        let signal = Signal::new(0);
        let order = Arc::new(Mutex::new(Vec::new()));
        let tasks: Vec<_> = (0..16)
            .map(|number| {
                let (mut receiver, order) = (signal.subscribe(), order.clone());
                tokio::spawn(async move {
                    let value = receiver.wait_for(|value| *value >= 2).await;
                    order.lock().unwrap().push(number);
                    value
                })
            })
            .collect();
        tokio::task::yield_now().await;
        signal.set(1);
        tokio::task::yield_now().await;
        signal.set(2);
        for task in tasks {
            assert_eq!(task.await.unwrap(), Ok(2));
        }
        assert_eq!(*order.lock().unwrap(), (0..16).collect::<Vec<_>>());
    }

    #[tokio::test]
    async fn a_value_that_stays_is_told() {
        let signal = Signal::new('a');
        let mut receiver = signal.subscribe();
        signal.set('b');
        assert_eq!(receiver.changed().await, Ok('b'));
        let mut late = signal.subscribe();
        signal.set('c');
        late.mark_seen();
        signal.set('b');
        assert_eq!(late.changed().await, Ok('b'));
        drop(signal);
        assert_eq!(receiver.changed().await, Ok('b'));
        assert_eq!(receiver.changed().await, Err(Closed));
        assert_eq!(receiver.get(), 'b');
    }
}
