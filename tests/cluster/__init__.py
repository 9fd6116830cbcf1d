"""The SQL store on a MariaDB Galera cluster of three nodes, one of which is killed and comes back; run by hand."""
