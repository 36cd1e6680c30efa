// The box on the first page that tries a model: a streamed chat completion.
const form = document.getElementById("try");
const answer = document.getElementById("answer");

form.addEventListener("submit", async (event) => {
	event.preventDefault();
	const { model, prompt } = Object.fromEntries(new FormData(form));
	const button = form.querySelector("button");
	button.disabled = true;
	answer.hidden = false;
	answer.textContent = "...";
	try {
		answer.textContent = "";
		await stream({ model, stream: true, messages: [{ role: "user", content: prompt }] });
	} catch (error) {
		answer.textContent = error.message;
	}
	button.disabled = false;
});

async function stream(body) {
	const response = await fetch("/v1/chat/completions", {
		method: "POST",
		headers: { "content-type": "application/json" },
		body: JSON.stringify(body),
	});
	if (!response.ok) {
		throw new Error((await response.json()).error.message);
	}
	let rest = "";
	for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
		const lines = (rest + chunk).split("\n");
		rest = lines.pop();
		for (const line of lines) {
			if (line.startsWith("data: {")) {
				const { choices = [], error } = JSON.parse(line.slice(6));
				answer.textContent += error ? `\n${error.message}` : (choices[0]?.delta?.content ?? "");
			}
		}
	}
}
