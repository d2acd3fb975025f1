/* The C API as a C program sees it. */

#include "capi/caller.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "concertina/concertina.h"

#define CHECK(condition) \
  if (!(condition)) return __LINE__

static int ask(const concertina_model* model) {
  concertina_subnet_info subnet = {.struct_size = sizeof subnet};
  concertina_image_info image = {.struct_size = sizeof image};
  concertina_tensor_info tensor = {.struct_size = sizeof tensor};
  int32_t found = -1;
  CHECK(concertina_model_subnet(model, 1, &subnet, NULL) == CONCERTINA_OK);
  CHECK(concertina_model_find(model, subnet.widths, &found, NULL) == CONCERTINA_OK && found == 1);
  CHECK(concertina_model_image(model, &image, NULL) == CONCERTINA_OK && image.stddev[0] > 0);
  CHECK(concertina_model_input(model, 0, &tensor, NULL) == CONCERTINA_OK && tensor.width == image.width);
  CHECK(concertina_model_output(model, 0, &tensor, NULL) == CONCERTINA_OK);
  CHECK(tensor.channels == concertina_model_class_count(model));
  CHECK(strlen(concertina_model_class(model, 0)) > 0);
  return 0;
}

static int run(const concertina_model* model, const float* images, float* chosen, float* adapted) {
  const size_t in = concertina_model_input_size(model);
  const size_t out = concertina_model_output_size(model);
  concertina_error error;
  concertina_session* session = NULL;
  concertina_adaptive* adaptive = NULL;
  concertina_budget budget = {.struct_size = sizeof budget, .deadline_ms = HUGE_VAL};
  concertina_answer answer = {.struct_size = sizeof answer};
  CHECK(concertina_session_create(model, NULL, &session, &error) == CONCERTINA_OK);
  CHECK(concertina_session_run(session, images, in, 1, 0, chosen, out, &error) == CONCERTINA_OK);
  CHECK(concertina_session_run(session, images, in, 1, 99, chosen, out, &error) == CONCERTINA_FAILED);
  CHECK(strstr(error.message, "99") != NULL);
  CHECK(concertina_adaptive_create(model, NULL, &adaptive, &error) == CONCERTINA_OK);
  CHECK(concertina_adaptive_run(adaptive, images, in, &budget, adapted, out, &answer, &error) ==
        CONCERTINA_OK);
  CHECK(answer.subnet == 0 && answer.in_time);
  CHECK(memcmp(chosen, adapted, out * sizeof *chosen) == 0);
  concertina_session_free(session);
  concertina_adaptive_free(adaptive);
  return 0;
}

static int schedule(const concertina_model* model, const float* images, float* chosen, float* scheduled) {
  const size_t in = concertina_model_input_size(model);
  const size_t out = concertina_model_output_size(model);
  concertina_scheduler* scheduler = NULL;
  concertina_scheduled left = {.struct_size = sizeof left};
  int64_t request = -1;
  CHECK(concertina_scheduler_create(&model, 1, NULL, &scheduler, NULL) == CONCERTINA_OK);
  CHECK(concertina_scheduler_submit(scheduler, 0, images, in, HUGE_VAL, scheduled, out, &request, NULL) ==
        CONCERTINA_OK);
  while (concertina_scheduler_waiting(scheduler) > 0) {
    CHECK(concertina_scheduler_advance(scheduler, &left, NULL) == CONCERTINA_OK);
  }
  CHECK(left.request == request && left.subnet == 0);
  CHECK(memcmp(chosen, scheduled, out * sizeof *chosen) == 0);
  concertina_scheduler_free(scheduler);
  return 0;
}

static int refuse(const concertina_model* model) {
  concertina_cascade* cascade = NULL;
  concertina_rules* rules = NULL;
  concertina_error error;
  CHECK(concertina_cascade_create(model, "/nowhere", NULL, &cascade, &error) == CONCERTINA_FAILED);
  CHECK(strstr(error.message, "/nowhere") != NULL && cascade == NULL);
  CHECK(concertina_rules_load("/nowhere", model, NULL, &rules, &error) == CONCERTINA_FAILED);
  CHECK(strstr(error.message, "/nowhere") != NULL && rules == NULL);
  return 0;
}

int concertina_call_from_c(const void* bytes, size_t size) {
  concertina_model* model = NULL;
  float *images, *outputs;
  int line;
  CHECK(concertina_model_parse(bytes, size, NULL, &model, NULL) == CONCERTINA_OK);
  images = calloc(concertina_model_input_size(model), sizeof *images);
  outputs = calloc(2 * concertina_model_output_size(model), sizeof *outputs);
  CHECK(images != NULL && outputs != NULL);
  line = ask(model);
  if (line == 0) line = run(model, images, outputs, outputs + concertina_model_output_size(model));
  if (line == 0) line = schedule(model, images, outputs, outputs + concertina_model_output_size(model));
  if (line == 0) line = refuse(model);
  free(images);
  free(outputs);
  concertina_model_free(model);
  return line;
}
