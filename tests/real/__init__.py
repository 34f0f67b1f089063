"""Tests of the whole agent on real daemons: dockerd and Filebeat, as root."""
