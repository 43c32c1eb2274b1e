//! Sockets, files, commands and the wire.
