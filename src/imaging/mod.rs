//! Pictures as values: header probes, orientation, scaling, finding and flattening paper. Pure: no I/O, no clock.

pub mod encode;
pub mod grey;
pub mod header;
pub mod heif;
pub mod jpeg;
pub mod regions;
pub mod rgba;
pub mod scale;
pub mod suspects;
pub mod turn;
