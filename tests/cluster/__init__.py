"""A test of the SQL store on a MariaDB Galera cluster of three nodes, during which nodes are killed. Run it by hand."""
