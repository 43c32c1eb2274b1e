//! Where a client is: databases and operator prefixes compiled into one place table.
