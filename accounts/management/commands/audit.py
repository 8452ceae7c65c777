"""`manage.py audit verify [--noted NUMBER:DIGEST] | forget`."""

import argparse
from itertools import islice
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts import audit, chain
from accounts.models import AuditChain

FAULTS_AT_MOST = 100  # that are listed


class Command(BaseCommand):
    help = "Checks that nobody changed the audit, and forgets what was kept for AUDIT_KEPT_DAYS."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        acts = parser.add_subparsers(dest="act", required=True)
        verify = acts.add_parser("verify")
        verify.add_argument("--noted", default="", help="NUMBER:DIGEST, as an earlier verify has printed it")
        acts.add_parser("forget")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["act"] == "forget":
            self.stdout.write(f"Forgot {audit.forget_old()} entries.")
            return
        found = list(islice(chain.faults(options["noted"]), FAULTS_AT_MOST + 1))
        for fault in found[:FAULTS_AT_MOST]:
            self.stderr.write(fault)
        if found:
            more = " at least" if len(found) > FAULTS_AT_MOST else ""
            raise CommandError(f"The audit is not as it was written:{more} {min(len(found), FAULTS_AT_MOST)} faults.")
        end = AuditChain.now()
        self.stdout.write(f"The audit is whole: entries {end.kept_after + 1} to {end.number}.\n{end}")
