use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use metrics::{
    Counter, CounterFn, Gauge, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder,
    SharedString, Unit,
};
use storage_core::BackendExt;
use storage_memory::MemoryBackend;
use storage_middleware::LayerExt;
use storage_middleware::measure::Metrics;

/// Sums by metric and labels.
#[derive(Clone, Default)]
struct Sums(Arc<Mutex<BTreeMap<String, u64>>>);

struct One(Sums, String);

impl One {
    fn add(&self, value: u64) {
        *self.0.0.lock().unwrap().entry(self.1.clone()).or_default() += value;
    }
}

impl CounterFn for One {
    fn increment(&self, value: u64) {
        self.add(value);
    }
    fn absolute(&self, _: u64) {}
}

impl HistogramFn for One {
    /// Counts the samples.
    fn record(&self, _: f64) {
        self.add(1);
    }
}

impl Sums {
    fn one(&self, key: &Key) -> Arc<One> {
        let labels: Vec<_> = key.labels().map(|label| label.value()).collect();
        let name = format!("{} {}", key.name(), labels.join(" "));
        Arc::new(One(self.clone(), name))
    }
}

impl Recorder for Sums {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.one(key))
    }
    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::noop()
    }
    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(self.one(key))
    }
}

#[test]
fn calls_bytes_errors_and_times_are_counted() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let sums = Sums::default();
    metrics::with_local_recorder(&sums, || {
        runtime.block_on(async {
            let backend = MemoryBackend::new().layer(Metrics);
            backend.put("a", "hello").await.unwrap();
            backend.get("a").await.unwrap();
            let reader = backend.open("a").await.unwrap();
            reader.bytes().await.unwrap();
            backend.get("missing").await.unwrap_err();
        });
    });
    let sums = sums.0.lock().unwrap();
    for (name, expected) in [
        ("storage_calls_total memory write", 1),
        ("storage_calls_total memory read", 3),
        ("storage_bytes_total memory write", 5),
        ("storage_bytes_total memory read", 10),
        ("storage_errors_total memory read not found", 1),
        ("storage_call_duration_seconds memory read call", 2),
        ("storage_call_duration_seconds memory read open", 1),
    ] {
        assert_eq!(sums.get(name), Some(&expected), "{name} of {sums:?}");
    }
}
