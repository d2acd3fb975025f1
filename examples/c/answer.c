/* Answers the same question again and again within a deadline, and tells which size of the network did.
 *
 *     answer model.onnx 2.5               every answer within 2.5 ms; on noise
 *     answer model.onnx 2.5 photo.ppm     on an image: a binary PPM or PGM file, any size
 */

#include <concertina/concertina.h>
#include <stdio.h>
#include <stdlib.h>

#include "image.h"

enum { kRequests = 20 };

static int fail(const char* what, const concertina_error* error) {
  fprintf(stderr, "answer: %s: %s\n", what, error->message);
  return 1;
}

/* Floats of every input: the image, or noise. NULL if that cannot be had. */
static float* make_input(const concertina_model* model, const char* path) {
  const size_t count = concertina_model_input_size(model);
  concertina_image_info info = {.struct_size = sizeof info};
  concertina_error error;
  float* input = calloc(count, sizeof *input);
  size_t i;
  if (input == NULL) return NULL;
  for (i = 0; path == NULL && i < count; ++i) input[i] = (float)rand() / (float)RAND_MAX - 0.5F;
  if (path == NULL) return input;
  if (concertina_model_image(model, &info, &error) != CONCERTINA_OK || !read_image(path, &info, input)) {
    free(input);
    return NULL;
  }
  return input;
}

static const char* most_likely(const concertina_model* model, const float* logits) {
  const int32_t classes = concertina_model_class_count(model);
  int32_t best = 0, i;
  for (i = 1; i < classes; ++i) {
    if (logits[i] > logits[best]) best = i;
  }
  return classes > 0 ? concertina_model_class(model, best) : "";
}

static int answer_all(const concertina_model* model, concertina_adaptive* session, double deadline_ms,
                      const float* input, float* output) {
  const concertina_budget budget = {.struct_size = sizeof budget, .deadline_ms = deadline_ms};
  concertina_error error;
  int in_time = 0, i;
  printf("request  sub-net  accuracy  predicted ms  actual ms  in time  class\n");
  for (i = 0; i < kRequests; ++i) {
    concertina_answer answer = {.struct_size = sizeof answer};
    if (concertina_adaptive_run(session, input, concertina_model_input_size(model), &budget, output,
                                concertina_model_output_size(model), &answer, &error) != CONCERTINA_OK) {
      return fail("no answer", &error);
    }
    in_time += answer.in_time != 0;
    printf("%7d  %7d  %7.2f %%  %12.3f  %9.3f  %7s  %s\n", i, answer.subnet, 100 * answer.accuracy,
           answer.predicted_ms, answer.actual_ms, answer.in_time ? "yes" : "no", most_likely(model, output));
  }
  printf("%d of %d in time\n", in_time, kRequests);
  return 0;
}

/* Session, input and output, and what is done with them. */
static int use(const concertina_model* model, double deadline_ms, const char* image) {
  concertina_adaptive* session = NULL;
  concertina_error error;
  float* input = make_input(model, image);
  float* output = calloc(concertina_model_output_size(model), sizeof *output);
  int status = 1;
  if (input == NULL || output == NULL) {
    fprintf(stderr, "answer: cannot read %s, or there is no memory\n", image == NULL ? "noise" : image);
  } else if (concertina_adaptive_create(model, NULL, &session, &error) != CONCERTINA_OK) {
    status = fail("no session", &error);
  } else {
    status = answer_all(model, session, deadline_ms, input, output);
  }
  concertina_adaptive_free(session);
  free(input);
  free(output);
  return status;
}

int main(int argc, char** argv) {
  concertina_model* model = NULL;
  concertina_error error;
  int status;
  if (argc < 3 || argc > 4) {
    fprintf(stderr, "usage: answer MODEL.onnx DEADLINE_MS [IMAGE.ppm]\n");
    return 2;
  }
  if (concertina_model_load(argv[1], NULL, &model, &error) != CONCERTINA_OK) return fail("no model", &error);
  printf("concertina %s, %d sub-nets\n", concertina_version(), concertina_model_subnet_count(model));
  status = use(model, atof(argv[2]), argc > 3 ? argv[3] : NULL);
  concertina_model_free(model);
  return status;
}
