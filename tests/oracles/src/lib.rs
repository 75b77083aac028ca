//! Other implementations of what `vouchsafe-credentials` does. The tests of this
//! package are all there is to it; the heavy oracles stay out of other builds.
