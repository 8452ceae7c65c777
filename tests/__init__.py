"""Tests of Dermaga, and the harness that gives them real engines, servers and browsers."""
