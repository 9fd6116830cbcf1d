// The answers of scim-patch. With the argument `lenient`, a replace whose filter selects nothing is an add, as by default.

import {ScimError, patchBodyValidation, scimPatch} from "scim-patch";
import {answerQuestions} from "./questions.js";

const treatMissingAsAdd = process.argv[2] === "lenient";

await answerQuestions((question, schemas) => {
    if (question.kind !== "patch") return {unsupported: "scim-patch has no filters for searches"};
    const resource = {schemas: question.schemas.map((name) => schemas[name].id), ...question.document};
    try {
        patchBodyValidation(question.request);
        return {document: scimPatch(resource, question.request.Operations, {mutateDocument: false, treatMissingAsAdd})};
    } catch (error) {
        if (error instanceof ScimError) return {error: {status: 400, scimType: error.scimCode}};
        return {error: {status: 500, detail: String(error)}};
    }
});
