#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| chatflow_fuzz::flows(bytes));
