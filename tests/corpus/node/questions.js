// Reads the questions of the corpus from standard input and writes the answers, as `scimkit corpus run` asks them.

import {createInterface} from "node:readline";

export async function answerQuestions(answer) {
    let schemas = {};
    for await (const line of createInterface({input: process.stdin})) {
        const question = JSON.parse(line);
        if (question.kind === "schemas") schemas = question.schemas;
        else process.stdout.write(`${JSON.stringify({id: question.id, ...await answer(question, schemas)})}\n`);
    }
}
