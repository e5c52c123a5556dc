//! Crashes, races and stops of the real binary.
