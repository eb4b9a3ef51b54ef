# Every target is a verb of tasks.py, which also works without make: python3 tasks.py help
# PYTHON=python3.12 picks the interpreter; ARGS="-k lineage" is handed on.

VERBS = demo test test-peers test-faults lint lock clean help

.DEFAULT_GOAL = help
.PHONY: $(VERBS)

$(VERBS):
	@$(or $(PYTHON),python3) tasks.py $@ $(ARGS)
