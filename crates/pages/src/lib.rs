//! What a person sees: one stylesheet, one catalogue of texts, one layout.
