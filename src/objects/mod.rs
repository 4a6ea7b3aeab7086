//! Object storage. (Being written on the `objects` branch.)

/// Placeholder replaced by the `objects` branch.
#[derive(Debug, Clone)]
pub struct ObjectStore;
