//! Zone files by their text: what is read, and what is said of what cannot
//! be.
