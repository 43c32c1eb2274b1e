//! Zones: their static records, from a file or from defaults.

use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::Arc;

use super::super::defaults::{EXPIRE, NEGATIVE_TTL, REFRESH, RETRY, SERIAL, STATIC_TTL};
use super::super::file::NameServerSpec;
use super::super::forms::NameServerForm;
use super::super::world::ZoneSpec;
use super::Resolver;
use crate::ids::ZoneId;
use crate::model::{NameServer, Zone};
use crate::name::Name;
use crate::read::{OneOrMany, Spanned};
use crate::record::{Record, Rtype};
use crate::zone::{ZoneData, ZoneSource};

impl Resolver<'_> {
    /// Zones, then their services: a service's name in targets depends on
    /// those of all zones.
    pub(super) fn zones(&mut self, specs: Vec<ZoneSpec>) {
        let mut services = Vec::new();
        for spec in specs {
            let ZoneSpec { name: Spanned { at: location, value: name }, nameservers, records, services: own } =
                spec;
            if !self.has_room((self.model.zones.len(), ZoneId::MAX), &location, "zones") {
                break;
            }
            let zone = ZoneId::new(self.model.zones.len());
            let owned = self.owners(zone, &name, own);
            let steered: Vec<Name> = owned.iter().map(|service| service.owner.clone()).collect();
            services.extend(owned);

            let at = Spanned { at: location.clone(), value: name.clone() };
            let nameservers = self.nameservers(nameservers, &at);
            let standard = self.standard_records(&at, &nameservers, records.is_none());
            let data = self.static_records(&name, records.as_ref(), (&steered, &standard));
            let soa_from_file = records.is_some() && !data.records.contains(&standard[0]);
            if let Some(records) = &records
                && !nameservers.is_empty()
            {
                self.compare_nameservers(&data, &standard, records);
            }
            let services = Vec::new();
            self.model.zones.push(Zone {
                name,
                location,
                nameservers,
                records: data,
                services,
                soa_from_file,
            });
        }
        self.services(services);
    }

    fn nameservers(&mut self, specs: Vec<NameServerForm>, zone: &Spanned<Name>) -> Vec<NameServer> {
        let who = format!("zone {}", zone.value);
        let mut servers: Vec<NameServer> = Vec::new();
        for NameServerForm(NameServerSpec { name: Spanned { at, value: name }, address }) in specs {
            let addresses = address.map_or_else(Vec::new, |OneOrMany(addresses)| addresses);
            if servers.iter().any(|server| server.name == name) {
                self.error(&at, [&who, "nameservers"], format!("{name} must stand once"));
            } else if addresses.is_empty() && name.is_within(&zone.value) {
                self.error(
                    &at,
                    [&who, "nameservers"],
                    format!("{name} lies in the zone: it must have an address"),
                );
            }
            servers.push(NameServer { name, addresses });
        }
        servers
    }

    /// What stands where no file gives it: SOA first, NS, glue.
    fn standard_records(
        &mut self,
        zone: &Spanned<Name>,
        declared: &[NameServer],
        alone: bool,
    ) -> Vec<Record> {
        let Spanned { at, value: apex } = zone;
        let who = format!("zone {apex}");
        let mut child = |label: &str| {
            apex.child(label.as_bytes()).unwrap_or_else(|error| {
                self.context.out.error(at, &who, "zone", format!("{label}.{apex}: {error}"));
                apex.clone()
            })
        };
        let mailbox = child("hostmaster");
        let own = [NameServer { name: child("ns1"), addresses: self.context.server_addresses.to_vec() }];
        let servers = if declared.is_empty() { &own } else { declared };
        if alone && declared.is_empty() && own[0].addresses.is_empty() {
            let what = format!("{} has no address, because the server has none to give", own[0].name);
            self.context.out.warn(at, &who, "nameservers", what);
        }
        let record = |owner: &Name, rtype, rdata: Vec<u8>| Record {
            owner: owner.clone(),
            rtype,
            ttl: STATIC_TTL,
            rdata: rdata.into(),
        };
        let mut soa = [servers[0].name.as_wire(), mailbox.as_wire()].concat();
        for number in [SERIAL, REFRESH, RETRY, EXPIRE, NEGATIVE_TTL] {
            soa.extend(number.to_be_bytes());
        }
        let mut records = vec![record(apex, Rtype::SOA, soa)];
        for NameServer { name, addresses } in servers {
            records.push(record(apex, Rtype::NS, name.as_wire().to_vec()));
            let glue = addresses.iter().filter(|_| name.is_within(apex));
            records.extend(glue.map(|address| match address {
                IpAddr::V4(v4) => record(name, Rtype::A, v4.octets().to_vec()),
                IpAddr::V6(v6) => record(name, Rtype::AAAA, v6.octets().to_vec()),
            }));
        }
        records
    }

    /// The zone's records: of its file, completed by `standard`.
    fn static_records(
        &mut self,
        apex: &Name,
        file: Option<&Spanned<Arc<str>>>,
        (steered, standard): (&[Name], &[Record]),
    ) -> ZoneData {
        let files = self.context.files;
        let (path, bytes) = match file.map(|file| files.read(&file.at.file, &file.value)) {
            Some(Ok(read)) => read,
            Some(Err(error)) => {
                let file = file.expect("only a file can fail to be read");
                self.error(
                    &file.at,
                    [&format!("zone {apex}"), "records"],
                    format!("{}: {error}", file.value),
                );
                (String::new(), Vec::new())
            }
            None => ("built-in".to_owned(), Vec::new()),
        };
        let source = ZoneSource { apex, path: &path, bytes: &bytes, files, steered, defaults: standard };
        let data = ZoneData::read(&source, self.context.out);
        data.unwrap_or_else(|| ZoneData { apex: apex.clone(), records: standard.to_vec() })
    }

    /// A file's NS records must be those of `nameservers:`, or one of the two
    /// is stale.
    fn compare_nameservers(&mut self, data: &ZoneData, standard: &[Record], file: &Spanned<Arc<str>>) {
        let names = |records: &[Record]| -> HashSet<Name> {
            let ns = records.iter().filter(|record| record.rtype == Rtype::NS && record.owner == data.apex);
            ns.filter_map(|record| Name::from_wire(&record.rdata).ok()).collect()
        };
        if names(&data.records) != names(standard) {
            let what = format!("must give the same NS as {}, or not be given", file.value);
            self.error(&file.at, [&format!("zone {}", data.apex), "nameservers"], what);
        }
    }
}
