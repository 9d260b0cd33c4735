//! Metrics of pods' own: Prometheus text, read from the pods whose annotations ask for it.
//!
//! `prometheus.io/scrape: "true"` names a pod; `/port`, `/path` and `/scheme` say where. Series get the labels
//! `namespace` and `pod`; what the text itself says under those names stands under `exported_namespace` and
//! `exported_pod`, so that nobody speaks for another's pods. The last two minutes of each counter are kept, of all else
//! the last value. Nothing runs while no pod is annotated.

pub(crate) mod naming;
pub(crate) mod resources;
mod scrape;
pub(crate) mod series;
mod target;

pub(crate) use scrape::run;
pub(crate) use series::Series;
