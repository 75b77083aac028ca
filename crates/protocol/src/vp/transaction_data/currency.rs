//! Currencies: a closed list, so that an amount means the same to everybody who reads it.

/// The currencies of countries in ISO 4217 (list one), by how many digits stand after the dot. Metals, units of
/// account and codes for tests are none that a person pays in.
const NONE: [&str; 16] = [
    "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV",
    "XAF", "XOF", "XPF",
];

const TWO: [&str; 132] = [
    "AED", "AFN", "ALL", "AMD", "AOA", "ARS", "AUD", "AWG", "AZN", "BAM", "BBD", "BDT", "BMD",
    "BND", "BOB", "BRL", "BSD", "BTN", "BWP", "BYN", "BZD", "CAD", "CDF", "CHF", "CNY", "COP",
    "CRC", "CUP", "CVE", "CZK", "DKK", "DOP", "DZD", "EGP", "ERN", "ETB", "EUR", "FJD", "FKP",
    "GBP", "GEL", "GHS", "GIP", "GMD", "GTQ", "GYD", "HKD", "HNL", "HTG", "HUF", "IDR", "ILS",
    "INR", "IRR", "JMD", "KES", "KGS", "KHR", "KPW", "KYD", "KZT", "LAK", "LBP", "LKR", "LRD",
    "LSL", "MAD", "MDL", "MGA", "MKD", "MMK", "MNT", "MOP", "MRU", "MUR", "MVR", "MWK", "MXN",
    "MYR", "MZN", "NAD", "NGN", "NIO", "NOK", "NPR", "NZD", "PAB", "PEN", "PGK", "PHP", "PKR",
    "PLN", "QAR", "RON", "RSD", "RUB", "SAR", "SBD", "SCR", "SDG", "SEK", "SGD", "SHP", "SLE",
    "SOS", "SRD", "SSP", "STN", "SVC", "SYP", "SZL", "THB", "TJS", "TMT", "TOP", "TRY", "TTD",
    "TWD", "TZS", "UAH", "USD", "UYU", "UZS", "VED", "VES", "WST", "XCD", "XCG", "YER", "ZAR",
    "ZMW", "ZWG",
];

const THREE: [&str; 7] = ["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"];

/// How many digits an amount of this currency has after its dot; `None`: no currency of the list.
pub(super) fn minor_units(code: &str) -> Option<usize> {
    let lists: [(&[&str], usize); 3] = [(&NONE, 0), (&TWO, 2), (&THREE, 3)];
    lists
        .into_iter()
        .find(|(list, _)| list.contains(&code))
        .map(|(_, units)| units)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn iso_4217_each_code_stands_once_and_in_order() {
        for list in [&NONE[..], &TWO[..], &THREE[..]] {
            assert!(list.is_sorted_by(|a, b| a < b), "{list:?}");
        }
        let mut all: Vec<&str> = [&NONE[..], &TWO[..], &THREE[..]].concat();
        let written = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), written);
        let upper = |code: &&str| code.len() == 3 && code.bytes().all(|b| b.is_ascii_uppercase());
        assert!(all.iter().all(upper));
    }

    #[test]
    fn iso_4217_units() {
        for (code, units) in [
            ("EUR", Some(2)),
            ("JPY", Some(0)),
            ("KRW", Some(0)),
            ("KWD", Some(3)),
            ("TND", Some(3)),
            ("eur", None),
            ("XAU", None),
            ("XTS", None),
            ("XXX", None),
            ("DEM", None),
            ("ABC", None),
            ("", None),
        ] {
            assert_eq!(minor_units(code), units, "{code}");
        }
    }
}
