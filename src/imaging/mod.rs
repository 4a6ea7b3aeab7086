//! Pictures as values: decoding limits, orientation, scaling, finding and flattening paper. Pure: no I/O, no clock.
