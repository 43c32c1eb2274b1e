//! Zones: their static records, from a file or from defaults.
//!
//! SOA, NS and glue are always offered to the reader of zone files, which uses
//! what the file does not give; a zone without a file is one whose file is
//! empty. So there is one path, and one check of the result.

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
use crate::record::{Record, RecordRef, Rtype};
use crate::records::Records;
use crate::zone::{ZoneData, ZoneSource};

/// First label of the name server of zones that declare none.
const OWN_SERVER: &str = "ns1";
/// First label of the mailbox in a SOA that no file gives (RFC 2142 §7).
const MAILBOX: &str = "hostmaster";

impl Resolver<'_> {
    /// Zones, then their services: a service's name in targets depends on
    /// those of all zones.
    pub(super) fn zones(&mut self, specs: Vec<ZoneSpec>) {
        let mut services = Vec::new();
        for ZoneSpec { name: zone, nameservers, records, dnssec, transfer, allow_query, services: own } in
            specs
        {
            if !self.has_room((self.model.zones.len(), ZoneId::MAX), &zone.at, "zones") {
                break;
            }
            let owned = self.owners(ZoneId::new(self.model.zones.len()), &zone.value, own);
            let has_services = !owned.is_empty();
            let steered = owned.iter().map(|service| service.owner.clone()).collect();
            services.extend(owned);
            let nameservers = self.nameservers(nameservers, &zone);
            let standard = self.standard_records(&zone, &nameservers);
            let mut data = self.static_records(&zone, records.as_ref(), (steered, &standard));
            match &records {
                _ if nameservers.is_empty() => self.check_own_server(&zone, &data),
                Some(file) => self.compare_nameservers(&data, &standard, file),
                None => {}
            }
            let dnssec = dnssec.map(|dnssec| {
                self.without_signatures(&mut data, records.as_ref());
                self.dnssec(&zone.value, dnssec)
            });
            let transfer = transfer.map(|spec| self.transfer((&data, has_services), spec, dnssec.as_ref()));
            let soa_from_file =
                records.is_some() && data.records.iter().all(|record| record != standard[0].view());
            let Spanned { at: location, value: name } = zone;
            let services = Vec::new();
            let records = data;
            self.model.zones.push(Zone {
                name,
                location,
                nameservers,
                records,
                dnssec,
                transfer,
                allow_query: allow_query.map(|allowed| allowed.value),
                services,
                soa_from_file,
            });
        }
        self.check_occlusion(&services);
        self.services(services);
    }

    fn nameservers(&mut self, specs: Vec<NameServerForm>, zone: &Spanned<Name>) -> Vec<NameServer> {
        let who = format!("zone {}", zone.value);
        let mut servers = Vec::new();
        let mut seen = HashSet::new();
        for NameServerForm(NameServerSpec { name: Spanned { at, value: name }, address }) in specs {
            let addresses = address.map_or_else(Vec::new, |OneOrMany(addresses)| addresses);
            if !seen.insert(name.clone()) {
                self.error(&at, [&who, "nameservers"], format!("{name} must stand once"));
                continue;
            }
            if addresses.is_empty() && name.is_within(&zone.value) {
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
    fn standard_records(&mut self, zone: &Spanned<Name>, declared: &[NameServer]) -> Vec<Record> {
        let Spanned { at, value: apex } = zone;
        let mut child = |label: &str| {
            apex.child(label.as_bytes()).unwrap_or_else(|error| {
                let what = format!("{label}.{apex}: {error}");
                self.context.out.error(at, &format!("zone {apex}"), "nameservers", what);
                apex.clone()
            })
        };
        let mailbox = child(MAILBOX);
        let own = [NameServer { name: child(OWN_SERVER), addresses: self.context.server_addresses.to_vec() }];
        let servers = if declared.is_empty() { &own } else { declared };
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
        zone: &Spanned<Name>,
        file: Option<&Spanned<Arc<str>>>,
        (steered, standard): (Vec<Name>, &[Record]),
    ) -> ZoneData {
        let apex = &zone.value;
        let files = self.context.files;
        let mut content = (zone.at.file.to_string(), Vec::new());
        if let Some(file) = file {
            match files.read(&file.at.file, &file.value) {
                Ok(read) => content = read,
                Err(error) => {
                    let what = format!("{}: {error}", file.value);
                    self.error(&file.at, [&format!("zone {apex}"), "records"], what);
                }
            }
        }
        let (path, bytes) = (&content.0, &content.1);
        let source = ZoneSource { apex, path, bytes, files, steered: &steered, defaults: standard };
        let data = ZoneData::read(&source, self.context.out);
        data.unwrap_or_else(|| ZoneData { apex: apex.clone(), records: Records::of(standard) })
    }

    /// A file's NS records must be those of `nameservers:`, or one of the two
    /// is stale.
    fn compare_nameservers(&mut self, data: &ZoneData, standard: &[Record], file: &Spanned<Arc<str>>) {
        let is_server = |record: &RecordRef<'_>| record.rtype == Rtype::NS && record.owner == data.apex;
        let name = |record: RecordRef<'_>| Name::from_wire(record.rdata).ok();
        let ours: HashSet<Name> = data.records.iter().filter(is_server).filter_map(name).collect();
        let declared = standard.iter().map(Record::view).filter(is_server).filter_map(name);
        if ours != declared.collect() {
            let what = format!("must give the same NS as {}, or not be given", file.value);
            self.error(&file.at, [&format!("zone {}", data.apex), "nameservers"], what);
        }
    }

    /// Warns of a name server of the zone's own that nobody can find.
    fn check_own_server(&mut self, zone: &Spanned<Name>, data: &ZoneData) {
        let Ok(own) = zone.value.child(OWN_SERVER.as_bytes()) else { return };
        let is_used = |record: RecordRef<'_>| record.rtype == Rtype::NS && record.rdata == own.as_wire();
        let is_address =
            |record: RecordRef<'_>| matches!(record.rtype, Rtype::A | Rtype::AAAA) && record.owner == own;
        if data.records.iter().any(is_used) && !data.records.iter().any(is_address) {
            let what = format!("{own} has no address: give nameservers, or tell the server its own");
            self.context.out.warn(&zone.at, &format!("zone {}", zone.value), "nameservers", what);
        }
    }
}
