"""Pure: an XLSForm in, the path of an interview out. No Flask, no SQLite, no clock; pyxform only to read workbooks."""
