# El servicio de emisión: lo que lee una persona mientras una tarjeta entra en la cartera.
issuer-code-title = Escriba su código de un solo uso
issuer-code-lead = { $issuer } ha preparado esta tarjeta para usted: { $card }. El código demuestra que es suya.
issuer-code-label = Código de un solo uso
issuer-code-hint = Ocho letras y cifras. { $issuer } le dio el código, por ejemplo en una carta o en el mostrador.
issuer-code-hint-long = Dieciséis letras y cifras. { $issuer } le dio el código, por ejemplo en una carta o en el mostrador.
issuer-code-confirm = Guardar la tarjeta en mi cartera
issuer-code-cancel = Ahora no
issuer-code-where = La tarjeta va a { $wallet } en este dispositivo.
issuer-code-wrong = { $tries ->
    [one] Ese no es el código. Le queda un intento.
   *[other] Ese no es el código. Le quedan { $tries } intentos.
}
issuer-consent-title = ¿Guardar esta tarjeta en su cartera?
issuer-consent-lead = { $issuer } le emite esta tarjeta: { $card }. Va a { $wallet }.
issuer-person-title = Diga a { $issuer } quién es usted
issuer-person-lead = Después, { $issuer } le emite esta tarjeta: { $card }. Va a { $wallet }.
issuer-person-wrong = { $tries ->
    [one] { $issuer } no conoce estos datos. Le queda un intento.
   *[other] { $issuer } no conoce estos datos. Le quedan { $tries } intentos.
}
issuer-present-title = Muestre primero una tarjeta
issuer-present-lead = Antes de emitir { $card }, { $issuer } le pide una tarjeta que ya tiene.
issuer-present-open = Abrir mi cartera
issuer-present-back = Su cartera le devuelve a este navegador.
issuer-failed-request-title = Este enlace no funciona
issuer-failed-request-text = Su cartera ha abierto una página que no podemos leer, así que no se ha emitido nada.
issuer-failed-offer-title = Esta tarjeta ya no está esperando
issuer-failed-offer-text = La tarjeta ya se recogió, o ha pasado el plazo para recogerla.
issuer-failed-locked-title = Demasiados códigos incorrectos
issuer-failed-locked-text = Para protegerle, esta tarjeta ya no se puede recoger con ese código.
issuer-failed-pause-title = Demasiados intentos
issuer-failed-pause-text = Lo que escribió fue incorrecto demasiadas veces, así que no se acepta nada durante una hora. Después empiece de nuevo en su cartera.
issuer-failed-browser-title = Empiece de nuevo desde su cartera
issuer-failed-browser-text = Esta página se abrió hace demasiado tiempo, o en otro navegador.
issuer-failed-server-title = Algo ha fallado por nuestra parte
issuer-failed-server-text = No se ha emitido nada y no se ha perdido nada.
issuer-failed-next = Vuelva a su cartera e inténtelo de nuevo, o pida a { $issuer } un nuevo enlace para la tarjeta.
docs-title = Interfaz para organizaciones
docs-lead = Todo lo que su propio sistema puede pedir a este servicio, con un ejemplo de cada cosa.
docs-openapi = Lo mismo como OpenAPI 3.1, para herramientas
docs-contents = Contenido
docs-access = Quién puede llamar
docs-scopes = Ámbitos y lo que permiten
docs-name = Nombre
docs-type = Tipo
docs-meaning = Significado
docs-required = obligatorio
docs-parameters = Parámetros
docs-body = Cuerpo
docs-answers = Respuestas
docs-example = Ejemplo
docs-schemas = Objetos
