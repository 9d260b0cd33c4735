//! What an autoscaler says of itself, as it comes to be.

use api::k8s::api::autoscaling::v2::{
    HorizontalPodAutoscaler, HorizontalPodAutoscalerCondition, HorizontalPodAutoscalerStatus, MetricStatus,
};
use api::k8s::apimachinery::pkg::apis::meta::v1::Time;
use api::k8s::jiff::Timestamp;

pub(super) struct Status {
    status: HorizontalPodAutoscalerStatus,
    now: Timestamp,
}

impl Status {
    pub(super) fn of(autoscaler: &HorizontalPodAutoscaler, now: Timestamp) -> Status {
        Status { status: autoscaler.status.clone().unwrap_or_default(), now }
    }

    pub(super) fn current_replicas(&mut self, replicas: i32) {
        self.status.current_replicas = Some(replicas);
    }

    pub(super) fn desired_replicas(&mut self, replicas: i32) {
        self.status.desired_replicas = replicas;
    }

    pub(super) fn metrics(&mut self, metrics: Vec<MetricStatus>) {
        self.status.current_metrics = Some(metrics).filter(|metrics| !metrics.is_empty());
    }

    pub(super) fn scaled(&mut self) {
        self.status.last_scale_time = Some(Time(self.now));
    }

    /// The time of its last transition changes with its status alone.
    pub(super) fn condition(&mut self, r#type: &str, holds: bool, reason: &str, message: &str) {
        let conditions = self.status.conditions.get_or_insert_default();
        let position = conditions.iter().position(|condition| condition.type_ == r#type).unwrap_or_else(|| {
            conditions.push(HorizontalPodAutoscalerCondition { type_: r#type.to_owned(), ..Default::default() });
            conditions.len() - 1
        });
        let condition = &mut conditions[position];
        let status = if holds { "True" } else { "False" };
        if condition.status != status {
            condition.status = status.to_owned();
            condition.last_transition_time = Some(Time(self.now));
        }
        condition.reason = Some(reason.to_owned());
        condition.message = Some(message.to_owned());
    }

    /// The autoscaler with this status; `None` where it says so already.
    pub(super) fn changed(self, autoscaler: &HorizontalPodAutoscaler) -> Option<HorizontalPodAutoscaler> {
        let is_new = autoscaler.status.as_ref() != Some(&self.status);
        is_new.then(|| HorizontalPodAutoscaler { status: Some(self.status), ..autoscaler.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_remembers_when_it_turned() {
        let autoscaler = HorizontalPodAutoscaler::default();
        let (first, second) = (Timestamp::UNIX_EPOCH, Timestamp::from_second(60).unwrap());
        let mut status = Status::of(&autoscaler, first);
        status.condition("AbleToScale", true, "A", "a");
        let told = status.changed(&autoscaler).unwrap();
        let mut again = Status::of(&told, second);
        again.condition("AbleToScale", true, "A", "a");
        assert!(again.changed(&told).is_none());
        let mut other = Status::of(&told, second);
        other.condition("AbleToScale", true, "B", "b");
        let other = other.changed(&told).unwrap().status.unwrap().conditions.unwrap();
        assert_eq!(other[0].last_transition_time.as_ref().unwrap().0, first);
        let mut turned = Status::of(&told, second);
        turned.condition("AbleToScale", false, "C", "c");
        let turned = turned.changed(&told).unwrap().status.unwrap().conditions.unwrap();
        assert_eq!(turned[0].last_transition_time.as_ref().unwrap().0, second);
    }
}
