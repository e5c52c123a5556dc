//! Tests on a real server: the wall between tenants, migrations, the outbox, jobs, the private
//! server.

#[cfg(test)]
mod catalogue;
#[cfg(test)]
mod data_model;
#[cfg(test)]
mod grants;
#[cfg(test)]
mod jobs;
#[cfg(test)]
mod lenses;
#[cfg(test)]
mod migrate;
#[cfg(test)]
mod migrating;
#[cfg(test)]
mod outbox;
#[cfg(test)]
mod partitions;
#[cfg(test)]
mod private;
#[cfg(test)]
mod server;
#[cfg(test)]
mod tenancy;
