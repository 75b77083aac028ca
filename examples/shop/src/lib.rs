//! A business: a shop that lets people sign in with their card, over an ordinary OpenID Connect client.
