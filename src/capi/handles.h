#pragma once

#include <memory>
#include <string>
#include <vector>

#include "concertina/adaptive_session.h"
#include "concertina/cascade_session.h"
#include "concertina/concertina.h"
#include "concertina/plan_rules.h"
#include "concertina/scheduler.h"
#include "concertina/session.h"

/// What the opaque structs of concertina.h are.

struct concertina_model {
  std::shared_ptr<const concertina::Model> model;
  std::vector<std::string> widths;  ///< of each sub-net, as text
};

struct concertina_session {
  concertina::Session session;
};

struct concertina_adaptive {
  concertina::AdaptiveSession session;
};

struct concertina_cascade {
  concertina::CascadeSession session;
};

struct concertina_rules {
  concertina::PlanRules rules;
};

struct concertina_scheduler {
  concertina::Scheduler scheduler;
};
