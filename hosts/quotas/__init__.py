"""How much teams may have on hosts: what they use, and whether they may have more."""
