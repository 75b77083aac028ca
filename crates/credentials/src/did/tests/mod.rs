mod identifiers;
mod local_keys;
mod methods;
mod web;
