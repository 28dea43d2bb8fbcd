"""Rules whose findings make the answer of an experiment: verdict, effect, reason, scope, advice."""
