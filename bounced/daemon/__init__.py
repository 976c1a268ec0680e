"""Wiring, schedule, signals, systemd: what turns the stages into a daemon. Import the modules, nothing is done here."""
