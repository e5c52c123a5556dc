//! Risk and policy: what an intent could cost and what the rules say.
