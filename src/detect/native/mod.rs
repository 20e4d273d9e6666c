//! Detectors of formats: each reads one kind of file, whatever product wrote it. No product is named here.
