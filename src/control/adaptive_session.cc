#include "concertina/adaptive_session.h"

#include "control/policy.h"
