#include "concertina/session.h"

#include <span>

#include "base/try.h"
#include "capi/handles.h"
#include "capi/outcome.h"
#include "capi/structs.h"

using namespace concertina::capi;

extern "C" {

concertina_status concertina_session_create(const concertina_model* model,
                                            const concertina_session_options* options,
                                            concertina_session** session, concertina_error* error) {
  return guarded(error, [&]() -> Outcome {
    RETURN_IF_ERROR(not_null({{"model", model}, {"session", session}}));
    concertina_session_options wanted;
    RETURN_IF_ERROR(read_struct("options", options, wanted));
    ASSIGN_OR_RETURN(auto made,
                     concertina::Session::make(model->model, {.threads = or_one(wanted.threads),
                                                              .max_batch = or_one(wanted.max_batch)}));
    *session = new concertina_session{std::move(made)};
    return {};
  });
}

void concertina_session_free(concertina_session* session) {
  delete session;
}

concertina_status concertina_session_run(concertina_session* session, const float* images,
                                         size_t image_floats, int32_t batch, int32_t subnet, float* outputs,
                                         size_t output_floats, concertina_error* error) {
  return guarded(error, [&]() -> Outcome {
    RETURN_IF_ERROR(not_null({{"session", session}, {"images", images}, {"outputs", outputs}}));
    RETURN_IF_ERROR(session->session.run({images, image_floats}, batch, subnet, {outputs, output_floats}));
    return {};
  });
}

}  // extern "C"
