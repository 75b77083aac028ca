//! Where an address is, from databases on disk (MaxMind DB format 2.0). Nobody is asked over the
//! network.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use maxminddb::{Reader, geoip2};
use serde::{Deserialize, Serialize};

/// What is known of a place.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GeoPlace {
    /// ISO 3166-1 code of the country.
    pub country: Option<String>,
    /// Number of the autonomous system.
    pub network: Option<u32>,
    /// Latitude and longitude in whole degrees: enough to tell a journey, not a street.
    pub degrees: Option<(i16, i16)>,
}

impl GeoPlace {
    /// Kilometres to another place, along the surface, where both are known. Whole degrees are
    /// wrong by 80 km at most.
    #[must_use]
    pub fn kilometres_to(&self, other: &Self) -> Option<f64> {
        let (here, there) = (self.degrees?, other.degrees?);
        Some(great_circle(here, there))
    }
}

/// The haversine formula on a sphere of 6,371 km.
fn great_circle((lat_a, lon_a): (i16, i16), (lat_b, lon_b): (i16, i16)) -> f64 {
    let radians = |degrees: i16| f64::from(degrees).to_radians();
    let (lat_a, lat_b) = (radians(lat_a), radians(lat_b));
    let half_lat = ((lat_b - lat_a) / 2.0).sin();
    let half_lon = ((radians(lon_b) - radians(lon_a)) / 2.0).sin();
    let h = half_lat * half_lat + lat_a.cos() * lat_b.cos() * half_lon * half_lon;
    2.0 * 6371.0 * h.sqrt().min(1.0).asin()
}

/// Why a database cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PlacesError {
    /// It cannot be read, or is not such a database.
    #[error("{path}: not a readable MaxMind DB file")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: maxminddb::MaxMindDbError,
    },
}

/// The databases; without them every place is unknown.
#[derive(Clone, Default)]
pub struct Places {
    places: Option<Arc<Reader<Vec<u8>>>>,
    networks: Option<Arc<Reader<Vec<u8>>>>,
}

impl std::fmt::Debug for Places {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Places")
    }
}

impl Places {
    /// Reads the databases: of countries or cities, and of autonomous systems.
    pub fn open(places: Option<&Path>, networks: Option<&Path>) -> Result<Self, PlacesError> {
        let open = |path: &Path| {
            let reader = Reader::open_readfile(path);
            reader
                .map(Arc::new)
                .map_err(|source| PlacesError::Unreadable {
                    path: path.to_owned(),
                    source,
                })
        };
        Ok(Self {
            places: places.map(open).transpose()?,
            networks: networks.map(open).transpose()?,
        })
    }

    /// Whether countries are known at all.
    #[must_use]
    pub fn know_countries(&self) -> bool {
        self.places.is_some()
    }

    /// What the databases say of an address. A record that cannot be read says nothing.
    #[must_use]
    pub fn look_up(&self, address: IpAddr) -> GeoPlace {
        let city = self
            .places
            .as_ref()
            .and_then(|reader| reader.lookup(address).ok())
            .and_then(|found| found.decode::<geoip2::City<'_>>().ok().flatten());
        let network = self
            .networks
            .as_ref()
            .and_then(|reader| reader.lookup(address).ok())
            .and_then(|found| found.decode::<geoip2::Asn<'_>>().ok().flatten());
        let Some(city) = city else {
            return GeoPlace {
                network: network.and_then(|asn| asn.autonomous_system_number),
                ..GeoPlace::default()
            };
        };
        GeoPlace {
            country: city.country.iso_code.map(str::to_owned),
            network: network.and_then(|asn| asn.autonomous_system_number),
            degrees: degrees(city.location.latitude, city.location.longitude),
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "degrees are within ±180")]
fn degrees(latitude: Option<f64>, longitude: Option<f64>) -> Option<(i16, i16)> {
    let whole = |value: f64| {
        value
            .is_finite()
            .then(|| value.clamp(-180.0, 180.0).round() as i16)
    };
    Some((whole(latitude?)?, whole(longitude?)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_those_of_the_globe() {
        let at = |degrees| GeoPlace {
            degrees: Some(degrees),
            ..GeoPlace::default()
        };
        let (oslo, new_york, sydney) = (at((60, 11)), at((41, -74)), at((-34, 151)));
        let km = oslo.kilometres_to(&new_york).unwrap();
        assert!((5_800.0..6_000.0).contains(&km), "{km}");
        let km = oslo.kilometres_to(&sydney).unwrap();
        assert!((15_800.0..16_100.0).contains(&km), "{km}");
        assert_eq!(oslo.kilometres_to(&GeoPlace::default()), None);
        let antipodes = at((0, 0)).kilometres_to(&at((0, 180))).unwrap();
        assert!((20_014.0..20_017.0).contains(&antipodes), "{antipodes}");
    }

    #[test]
    fn what_is_no_database_is_refused_by_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("places.mmdb");
        std::fs::write(&path, b"not a database").unwrap();
        let refused = Places::open(Some(&path), None).unwrap_err();
        assert!(refused.to_string().contains("places.mmdb"));
        assert!(Places::open(None, Some(&folder.path().join("none"))).is_err());
    }
}
